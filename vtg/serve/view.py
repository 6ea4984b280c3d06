# SPDX-License-Identifier: Apache-2.0
"""The parts of the page as HTML; every text is escaped."""

import html
import json
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from vtg.pages import frame, render_page
from vtg.search.exports import clock
from vtg.search.page import entries
from vtg.utils import printable

from .service import Choice, Found

_HEIGHT = 320
"""Of the timelines until they tell their own."""


def error(sentence: str) -> str:
    """What went wrong."""
    return f'<p class="vtg-error" role="alert">{_text(sentence)}</p>'


def note(sentence: str) -> str:
    """What is to be done next, or was done."""
    return f'<p class="vtg-note" role="status">{_text(sentence)}</p>'


def progress(done: int, total: int) -> str:
    """How far a video is encoded."""
    return (
        f'<p class="vtg-note" role="status">Encoding the video: {done} of {total} clips '
        f'<progress max="{max(total, 1)}" value="{done}"></progress></p>'
    )


def player(choice: Choice | None, addresses: Sequence[str]) -> str:
    """The player of the first video; the script of the page puts the others in.

    Args:
        choice: The videos, None for none.
        addresses: Where the browser finds each of them.
    """
    if choice is None:
        return ''
    names = json.dumps([printable(file.name) for file in choice.files])
    caption = f'<figcaption>{_text(choice.files[0].name)}</figcaption>'
    return (
        f'<figure data-sources="{html.escape(json.dumps(list(addresses)))}" '
        f'data-names="{html.escape(names)}"><video controls playsinline preload="metadata" '
        f'src="{html.escape(addresses[0])}"></video>'
        f'{caption if len(choice.files) > 1 else ""}'
        '<p class="vtg-unplayable" hidden>This browser cannot play the file. It can be searched '
        'all the same; convert it to MP4 (H.264) or WebM to see it here.</p></figure>'
    )


def address(file: Path) -> str:
    """Where Gradio serves a file that it may serve, relative to the page."""
    return f'./gradio_api/file={quote(str(file))}'


def timelines(found: Found, top: int) -> str:
    """The timelines of an answer: those of ``vtg find --html`` without the video."""
    shown, files = entries(found.answers, top)
    places = json.dumps([found.choice.files.index(file) for file in files])
    page = frame(render_page('', shown), _HEIGHT, 'timelines')
    return f'<div class="vtg-frame" data-places="{html.escape(places)}">{page}</div>'


def moments(found: Found, top: int) -> str:
    """The moments of an answer as buttons that play them."""
    parts = []
    for name, answers in found.answers.items():
        if len(found.answers) > 1:
            parts.append(f'<h3>{_text(name)}</h3>')
        for answer in answers:
            rows = [
                f'<li><button type="button" data-start="{moment.start:.3f}" '
                f'data-end="{moment.end:.3f}" '
                f'data-place="{found.choice.files.index(moment.video)}">▶ '
                f'{clock(moment.start)} – {clock(moment.end)}</button>'
                f'<span title="relevance, from 0 to 1">{moment.relevance:.2f}</span>'
                + (f' <span>{_text(moment.video.name)}</span>' if len(answer.files) > 1 else '')
                + '</li>'
                for moment in answer.moments(top)
            ]
            listed = f'<ol>{"".join(rows)}</ol>' if rows else '<p class="vtg-note">no moment</p>'
            parts.append(f'<section><h4>{_text(answer.query)}</h4>{listed}</section>')
    return f'<div class="vtg-moments">{"".join(parts)}</div>'


def _text(value: str) -> str:
    return html.escape(printable(value))
