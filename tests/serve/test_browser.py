# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser: headless Chromium, driven by Playwright."""

import contextlib
import json
import os
import shutil
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest
from colours import ColourEncoder, write_colours
from media import write_audio

from vtg.search import FileEncoder
from vtg.search.exports import clock
from vtg.serve import Service, SimilarityModel
from vtg.serve.app import allowed_hosts, build, listen, server_of

BROWSER = shutil.which('chromium') or shutil.which('chromium-browser')
SHARED = Path(os.environ.get('VTG_SHARED', Path(__file__).resolve().parents[3] / 'shared'))
MEGABYTES = 4
PATIENCE = 120_000  # milliseconds; a busy machine is slow


@dataclass
class Served:
    """A server: its address, its model and service, and the one video of its index."""

    url: str
    model: SimilarityModel
    service: Service
    listed: Path


@pytest.fixture(scope='module')
def served(tmp_path_factory):
    pytest.importorskip('gradio', reason='needs the extra "web"')
    place = tmp_path_factory.mktemp('index')
    model = SimilarityModel(FileEncoder({'type': ColourEncoder}, 1.0, longest=2.0))
    listed = model.encoder(write_colours(place / 'listed & <b>.webm', 6.0))
    (place / 'beside.webm').write_bytes(listed.path.read_bytes())
    model.encoder.encoder.encoded.clear()
    service = Service({'colours': model}, tmp_path_factory.mktemp('uploads'), [listed], 2.0, 3)
    taken = listen('127.0.0.1', 0)
    server = server_of(build(service, 'A <hint>.', MEGABYTES, allowed_hosts('127.0.0.1')))
    thread = threading.Thread(target=server.run, kwargs={'sockets': [taken]})
    thread.start()
    url = f'http://127.0.0.1:{taken.getsockname()[1]}'
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    yield Served(url, model, service, listed.path)
    server.should_exit = True
    thread.join()


@pytest.fixture(scope='module')
def browser():
    api = pytest.importorskip('playwright.sync_api', reason='needs the extra "tests-browser"')
    if BROWSER is None:
        pytest.skip('no Chromium is installed')
    with api.sync_playwright() as playwright:
        options = ['--no-sandbox', '--disable-gpu']
        chromium = playwright.chromium.launch(executable_path=BROWSER, args=options)
        yield chromium
        chromium.close()


def test_only_what_the_page_needs_can_be_had(served):
    def status(path, data=None, **headers):
        kinds = {'Content-Type': 'application/json'} if data else {}
        request = urllib.request.Request(served.url + path, data, {**kinds, **headers})
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status
        except urllib.error.HTTPError as error:
            return error.code

    upload = served.service.folder / 'x' / 'there.txt'
    upload.parent.mkdir()
    upload.write_text('uploaded')
    quoted = urllib.request.pathname2url
    files = '/gradio_api/file='
    assert status(files + quoted(str(served.listed))) == 200
    assert status(files + quoted(str(upload))) == 200
    assert status(files + quoted(str(served.listed)), Range='bytes=0-9') == 206
    for path in (files + quoted(str(served.listed.with_name('beside.webm'))),
                 files + quoted(str(served.listed.parent)), f'{files}/etc/hostname',
                 files + quoted(f'{served.service.folder}/../../x')):  # fmt: skip
        assert status(path) == 403, path
    for path in (f'{files}http://127.0.0.1:1/x', '/monitoring', '/gradio_api/runs', '/docs'):
        assert status(path) == 404, path
    assert status('/', Host='another.org') == 403
    # Naming another file than an upload is refused before Gradio copies it.
    named = {'path': str(served.listed), 'meta': {'_type': 'gradio.FileData'}}
    body = {'fn_index': 0, 'session_hash': 'x', 'data': [named, ['colours']]}
    assert status('/gradio_api/queue/join', json.dumps(body).encode()) == 403
    body['data'][0]['path'] = 'https://127.0.0.1/x.mp4'
    assert status('/gradio_api/queue/join', json.dumps(body).encode()) == 403
    named['path'] = str(upload)
    assert status('/gradio_api/queue/join', json.dumps(body).encode()) == 200


def test_a_visit(served, browser, tmp_path):
    av = pytest.importorskip('av', reason='needs the extra "video"')
    api = pytest.importorskip('playwright.sync_api')
    page = browser.new_page(viewport={'width': 1280, 'height': 900})
    page.set_default_timeout(PATIENCE)
    wrong = []
    page.on('pageerror', lambda error: wrong.append(str(error)))
    page.on('request', lambda one: one.url.startswith(served.url) or wrong.append(one.url))
    page.on('console', lambda one: one.type == 'error' and wrong.append(one.text))
    page.goto(served.url)

    def says(kind, text):
        page.locator(f'#vtg-status .vtg-{kind}', has_text=text).wait_for()
        return page.locator('#vtg-status').inner_text()

    def drop(file):
        page.set_input_files('#vtg-upload input[type=file]', file)

    def ask(text):
        page.fill('#vtg-text textarea', text)
        page.click('#vtg-find')

    def download(link):
        # A click while Gradio replaces a list of files is lost, as it would be for a user.
        for _ in range(8):
            with contextlib.suppress(api.TimeoutError), page.expect_download(timeout=4000) as got:
                page.locator(link).first.click()
                return Path(got.value.path())
        raise AssertionError(f'{link} downloads nothing')

    def seconds():
        return page.evaluate('document.querySelector("#vtg-player video").currentTime')

    page.wait_for_selector('#vtg-find')
    assert page.locator('.vtg-head').inner_text().endswith('A <hint>.')
    ask('red')
    says('error', 'there is no video yet')

    # What is no video gets one sentence, and the field is free for another one.
    (tmp_path / 'text.mp4').write_text('no video')
    write_audio(tmp_path / 'sound.mp4')
    write_colours(tmp_path / 'long.mp4', 130.0, 'mpeg4', fps=1)
    for name, sentence in (
        ('text.mp4', 'text.mp4 cannot be decoded'),
        ('sound.mp4', 'sound.mp4 has no video stream'),
        ('long.mp4', 'long.mp4 is 2 minutes long, more than 2; cut it'),
    ):  # fmt: skip
        drop(tmp_path / name)
        shown = says('error', sentence)
        assert shown.count('.') <= 4 and '/' not in shown and 'Traceback' not in shown, shown
    (tmp_path / 'large.mp4').write_bytes(bytes(MEGABYTES * 1_000_000 + 1))
    drop(tmp_path / 'large.mp4')
    page.get_by_text('maximum').first.wait_for()
    assert not served.model.encoder.encoder.encoded
    wrong[:] = [text for text in wrong if '413' not in text]
    page.reload()

    # A real video where there is one.
    real = next(iter(sorted((SHARED / 'data' / 'more').glob('*.mp4'))), None)
    real = real if real and real.stat().st_size < MEGABYTES * 1_000_000 else None
    video = real or write_colours(tmp_path / 'v.webm', 12.0)
    drop(video)
    says('note', 'The video is ready')
    encoded = list(served.model.encoder.encoder.encoded)
    assert encoded
    ask('something red\n<b>blue</b>')
    says('note', 'moments')
    buttons = page.locator('.vtg-moments button')
    choice = served.service.receive(str(next(served.service.folder.glob(f'*/{video.name}'))))
    found = served.service.answer(choice, ['colours'], 'something red\n<b>blue</b>')
    moments = [m for answer in found.answers['colours'] for m in answer.moments(3)]
    wanted = [f'▶ {clock(m.start)} – {clock(m.end)}' for m in moments]
    assert buttons.all_inner_texts() == wanted
    timeline = page.frame_locator('.vtg-frame iframe')
    timeline.locator('.timeline').wait_for()
    assert timeline.locator('.item .sentence').all_inner_texts() == ['something red', '<b>blue</b>']

    # A click on the timeline moves the player, and the player moves the mark.
    box = timeline.locator('.timeline').bounding_box()
    timeline.locator('.timeline').click(position={'x': box['width'] / 2, 'y': 5})
    length = found.answers['colours'][0].results[0].duration
    page.wait_for_function(
        'half => Math.abs(document.querySelector("#vtg-player video").currentTime - half) < 0.5',
        arg=length / 2,
    )
    assert '0:' in timeline.locator('#time').inner_text()
    # A moment is played from its start to its end.
    buttons.first.click()
    page.wait_for_function(
        'start => document.querySelector("#vtg-player video").currentTime > start',
        arg=moments[0].start,
    )
    assert seconds() < moments[0].end + 1

    # Asking again encodes nothing.
    ask('green')
    page.locator('.vtg-moments h4', has_text='green').wait_for()
    assert served.model.encoder.encoder.encoded == encoded

    assert download('#vtg-files a[download$=".srt"]').read_text().startswith('1\n0')
    page.click('#vtg-cut')
    says('note', 'clips are ready')
    with av.open(download('#vtg-clips a')) as clip:
        assert next(clip.decode(video=0)).width

    # A video of the index: it is chosen by its number.
    page.click('#vtg-listed input')
    page.get_by_role('option').first.click()
    says('note', 'The video is ready')
    assert page.locator('#vtg-upload input[type=file]').count() == 1  # free again
    assert not page.locator('.vtg-moments').count()
    ask('green')
    page.locator('.vtg-moments button').first.wait_for()
    played = page.locator('#vtg-player video').get_attribute('src')
    assert played.startswith('./gradio_api/file=/') and played.endswith(
        'listed%20%26%20%3Cb%3E.webm'
    )
    assert served.model.encoder.encoder.encoded == encoded
    assert not wrong, wrong
    page.close()
