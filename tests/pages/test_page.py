# SPDX-License-Identifier: Apache-2.0
import base64
import hashlib
import json
import math
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vtg.pages import Entry, Section, Track, frame, media_source, render_page, write_page
from vtg.pages.html import table
from vtg.utils import ConfigError

EVIL = '</script><script>document.title = "run"</script><img src=x onerror=alert(1)> <!-- & "q\''
BROWSER = shutil.which('chromium') or shutil.which('chromium-browser')


class Reader(HTMLParser):
    """The elements of a page and the text of every script, as a browser sees them."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == 'script':
            self.scripts.append('')

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == 'script':
            self.scripts[-1] += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


def entries() -> list[Entry]:
    curve = [0.0, 1.0, math.nan, 3.0]
    moments = [[2.0, 6.5, 0.91239], [0.0, math.inf, 0.1]]
    evil = Entry(
        EVIL, 8.0, [Track(EVIL, moments, curve)], [[1, 6]], (0, 4, 4, 0), qid=EVIL, video=EVIL,
        values={'IoU': 0.5, 'class': EVIL},
    )  # fmt: skip
    other = Entry('a second query', 8.0, [Track('m', np.array([[0, 1.5]]))], [], values={'IoU': 0})
    return [evil, other]


def test_texts_stay_texts() -> None:
    page = render_page(EVIL, entries(), [Section(EVIL, table([EVIL], [[EVIL]]))], note=EVIL)
    seen = read(page)
    assert [tag for tag, _ in seen.elements if tag in ('script', 'img')] == ['script', 'script']
    assert not any(name.startswith('on') for _, attrs in seen.elements for name in attrs)
    data = json.loads(seen.scripts[0])
    assert data['entries'][0]['query'] == EVIL and data['models'] == [EVIL, 'm']
    # Whatever a text contains, its script cannot run: only that of the page has the right hash.
    policy = next(a['content'] for _, a in seen.elements if 'http-equiv' in a) or ''
    digest = base64.b64encode(hashlib.sha256(seen.scripts[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy and "default-src 'none'" in policy
    assert not re.search(r'(src|href)="(?!#)', page)  # nothing is loaded from elsewhere


def test_data_holds_what_can_be_drawn() -> None:
    data = json.loads(read(render_page('t', entries(), order='IoU')).scripts[0])
    evil, other = data['entries']
    assert evil['tracks'][0]['moments'] == [[2, 6.5, 0.912]]  # the infinite one cannot be drawn
    assert evil['tracks'][0]['curve'] == {'low': 0, 'high': 3, 'steps': [0, 33, None, 100]}
    assert evil['grades']['steps'] == [0, 100, 100, 0]
    assert other['truth'] == [] and other['grades'] is None and other['values'] == [0, None]
    assert data['columns'] == ['IoU', 'class'] and data['order'] == 'IoU'


def test_a_report_without_queries_has_no_browser() -> None:
    seen = read(render_page('t', sections=[Section('s', 'x')]))
    assert 'hidden' in next(a for _, a in seen.elements if a.get('id') == 'queries')


def test_addresses_of_videos(tmp_path: Path) -> None:
    page = tmp_path / 'out' / 'page.html'
    assert media_source(tmp_path / 'a b#.mp4', page) == '../a%20b%23.mp4'
    assert media_source(tmp_path / 'out' / 'a.mp4', page) == './a.mp4'
    assert media_source('https://x.org/a.mp4', page) == 'https://x.org/a.mp4'
    with pytest.raises(ConfigError, match='neither a file nor'):
        media_source('javascript:alert(1)', page)


def test_frame_carries_the_page() -> None:
    page = render_page(EVIL, entries())
    (element,) = read(frame(page, 300, EVIL)).elements
    assert element[0] == 'iframe' and element[1]['srcdoc'] == page
    assert element[1]['sandbox'] == 'allow-scripts' and element[1]['title'] == EVIL


@pytest.mark.skipif(BROWSER is None, reason='no Chromium is installed')
@pytest.mark.parametrize('width', [1280, 500])
def test_browser_draws_the_page(tmp_path: Path, width: int) -> None:
    path = write_page(tmp_path / 'page.html', 'title', entries(), order='IoU')
    command: list[Any] = [BROWSER, '--headless', '--no-sandbox', '--disable-gpu', '--dump-dom']
    command += [f'--user-data-dir={tmp_path / "profile"}', '--virtual-time-budget=2000']
    command += [f'--window-size={width},800']
    done = subprocess.run([*command, path.as_uri()], capture_output=True, text=True, timeout=60)
    seen = read(done.stdout)
    kinds = [attrs.get('class') for _, attrs in seen.elements]
    assert kinds.count('item') == 2 and kinds.count('timeline') == 1
    assert '<title>title</title>' in done.stdout
    assert not [tag for tag, _ in seen.elements if tag == 'img']
    # The smaller number comes first, and its track is drawn.
    assert done.stdout.index('a second query') < done.stdout.index('&lt;/script&gt;')
    assert 'annotated: no moment' in done.stdout
    # On a narrow screen the details stand in the list.
    assert (done.stdout.index('</ol>') > done.stdout.index('id="detail"')) == (width < 800)
