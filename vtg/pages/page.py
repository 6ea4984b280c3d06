# SPDX-License-Identifier: Apache-2.0
"""From entries and sections to one HTML file that needs no network."""

import base64
import hashlib
import html
import json
import os
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from string import Template
from urllib.parse import quote

from vtg.utils import ConfigError, shown, write_text

from .entries import Entry, Section, page_data

_ASSETS = Path(__file__).parent / 'assets'
_SCHEME = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*:')


def render_page(
    title: str,
    entries: Sequence[Entry] = (),
    sections: Sequence[Section] = (),
    *,
    order: str = '',
    note: str = '',
) -> str:
    """Return the page.

    Texts of queries, videos and models are escaped and shown as they are. A content security policy
    lets the browser run the script of this module and no other.

    Args:
        title: Heading of the page.
        entries: The queries; without any, the page has no browser.
        sections: Parts of a report, above the queries.
        order: Name of a number in ``values`` of the entries; the smallest comes first. ``''`` keeps
            the order of the entries.
        note: A sentence below the title.
    """
    script = _asset('page.js')
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    links = [(f's{number}', section.title) for number, section in enumerate(sections)]
    links += [('queries', 'Queries')] if entries and sections else []
    return Template(_asset('page.html')).substitute(
        title=html.escape(title),
        note=html.escape(note),
        links=''.join(f'<a href="#{name}">{html.escape(text)}</a>' for name, text in links),
        sections=''.join(
            f'<section class="report" id="s{number}"><h2>{html.escape(section.title)}</h2>'
            f'{section.html}</section>'
            for number, section in enumerate(sections)
        ),
        hidden='' if entries else ' hidden',
        digest=digest,
        style=_asset('page.css'),
        data=_embedded(page_data(entries, order)),
        script=script,
    )


def write_page(
    path: str | Path,
    title: str,
    entries: Sequence[Entry] = (),
    sections: Sequence[Section] = (),
    *,
    order: str = '',
    note: str = '',
) -> Path:
    """Write what :func:`render_page` returns, whole or not at all, and return the path."""
    write_text(path, render_page(title, entries, sections, order=order, note=note))
    return Path(path)


def media_source(video: str | Path, page: str | Path) -> str:
    """The address of a video for a page.

    Args:
        video: A file, or an address that begins with ``https://`` or ``http://``.
        page: The file of the page; the address of a file is relative to its folder, so that both
            can be moved together.

    Raises:
        ConfigError: The address has another scheme.
    """
    text = str(video)
    if text.startswith(('https://', 'http://')):
        return text
    if _SCHEME.match(text) and not Path(text).exists():
        raise ConfigError(
            f'the video {shown(text)} is neither a file nor an address of https; give one of both.'
        )
    relative = os.path.relpath(Path(text).resolve(), Path(page).resolve().parent)
    address = quote(Path(relative).as_posix())
    return address if address.startswith('.') else f'./{address}'


def frame(page: str, height: int = 640, title: str = 'timeline') -> str:
    """A page as an ``<iframe>`` in another page, for example in ``gr.HTML`` of Gradio.

    The frame has an origin of its own and talks by messages to the page around it: ``{type:
    'vtg-seek', time, entry, index}`` when a time is chosen, ``{type: 'vtg-show', index}`` when an
    entry is (``index`` counts them as they were given), ``{type: 'vtg-size', height}``. It moves
    its mark at ``{type: 'vtg-time', time}``.

    Args:
        page: What :func:`render_page` returns.
        height: In pixels.
        title: For screen readers.
    """
    return (
        f'<iframe sandbox="allow-scripts" title="{html.escape(title)}" '
        f'style="width:100%;height:{height:d}px;border:0" srcdoc="{html.escape(page)}"></iframe>'
    )


def _embedded(value: object) -> str:
    """JSON in which no text can end the ``<script>`` element around it."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(',', ':'))
    for character in '<>&\u2028\u2029':
        text = text.replace(character, f'\\u{ord(character):04x}')
    # Lone surrogates cannot be written as UTF-8.
    return text.encode('utf-8', 'replace').decode()


@cache
def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding='utf-8')
