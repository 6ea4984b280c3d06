# SPDX-License-Identifier: Apache-2.0
"""The page in Gradio, and the server that shows it."""

import os
import re
import socket
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from vtg.utils import ConfigError, printable
from vtg.utils.endings import sentence_of
from vtg.utils.optional import require

from . import view
from .guard import Guard
from .service import ALL, Choice, Found, Service

_ASSETS = Path(__file__).parent / 'assets'
_LOCAL = ('127.0.0.1', 'localhost', '::1')
# Gradio puts an upload into a folder that is named by its content.
_UPLOAD = re.compile(r'\b[0-9a-f]{40,}/')
_BROKEN = 'something in the server failed, its terminal says what; try another video or sentence.'
_DAY = 24 * 3600
KEEP = object()
"""A field stays as it is."""


def build(service: Service, note: str, max_upload: float, hosts: Sequence[str] = ()) -> Any:
    """Make the application.

    Args:
        service: What answers.
        note: A sentence below the title.
        max_upload: Megabytes of an upload.
        hosts: Names under which it may be called, empty for any.

    Returns:
        An ASGI application.

    Raises:
        ConfigError: Gradio is not installed.
    """
    # Read where components are made: uploads and what is made of them lie here and nowhere else.
    os.environ['GRADIO_TEMP_DIR'] = str(service.folder)
    gradio: Any = require('gradio', 'the page of vtg serve')
    fastapi: Any = require('fastapi', 'the page of vtg serve')
    system = [gradio.themes.Font(name) for name in ('system-ui', 'sans-serif')]
    blocks = _blocks(gradio, service, note)
    app = gradio.mount_gradio_app(
        fastapi.FastAPI(openapi_url=None), blocks, path='/',
        # Exactly these files: a folder would open what else lies in it.
        allowed_paths=[str(video.path) for video in service.listed],
        max_file_size=round(max_upload * 1_000_000),
        footer_links=[], run_history=False, ssr_mode=False, mcp_server=False, pwa=False,
        enable_monitoring=False, show_error=False,
        theme=gradio.themes.Default(font=system, font_mono=[gradio.themes.Font('monospace')]),
        css=(_ASSETS / 'serve.css').read_text(encoding='utf-8'),
        head=f'<script>{(_ASSETS / "serve.js").read_text(encoding="utf-8")}</script>',
    )  # fmt: skip
    # Gradio checks the files that a browser names only where it has started the server itself.
    blocks.has_launched = True
    return Guard(app, service.folder, frozenset(hosts))


def listen(host: str, port: int) -> socket.socket:
    """Take a port before the work is done that would be lost without it.

    Raises:
        ConfigError: It is in use, or is not ours to take.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        made = socket.socket(family, socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # a name that is too long, or has an empty part
        reason = getattr(error, 'strerror', None) or 'it is no name'
        raise ConfigError(
            f'{printable(host)[:200]!r} is no address of this machine ({reason}); use '
            '--host 127.0.0.1, or 0.0.0.0 for all.'
        ) from None
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(100)
    except OSError as error:
        made.close()
        raise ConfigError(
            f'port {port} of {printable(host)} cannot be used ({error.strerror}); choose another '
            'with --port.'
        ) from None
    return made


def allowed_hosts(host: str) -> Sequence[str]:
    """The names under which a server that listens here only may be called."""
    return _LOCAL if host in _LOCAL else ()


def server_of(app: Any) -> Any:
    """The server; its ``run`` ends with the signal that stops it."""
    uvicorn: Any = require('uvicorn', 'the page of vtg serve')
    # Gradio keeps a connection to every open page, which would be waited for.
    config = uvicorn.Config(
        app, log_level='critical', access_log=False, timeout_graceful_shutdown=1, ws='none'
    )
    return uvicorn.Server(config)


def _blocks(gradio: Any, service: Service, note: str) -> Any:
    names = list(service.models)
    listed = [(f'all {len(service.listed)} videos', ALL)] if len(service.listed) > 1 else []
    listed += [(printable(video.path.name), n) for n, video in enumerate(service.listed, start=1)]
    plain = {'apply_default_css': False}
    with gradio.Blocks(title='vtg', analytics_enabled=False, delete_cache=(_DAY, _DAY)) as blocks:
        gradio.HTML(
            f'<div class="vtg-head"><h1>Find moments in a video</h1>{view.note(note)}</div>',
            **plain,
        )  # fmt: skip
        choice, found = gradio.State(None), gradio.State(None)
        with gradio.Row():
            with gradio.Column(scale=2, min_width=320, elem_classes='vtg-left'):
                number = gradio.Dropdown(
                    listed, value=None, label='Video of the index', visible=bool(listed),
                    elem_id='vtg-listed',
                )  # fmt: skip
                upload = gradio.File(label='Video', height=150, elem_id='vtg-upload')
                player = gradio.HTML(elem_id='vtg-player', **plain)
            with gradio.Column(scale=3, min_width=320):
                text = gradio.Textbox(
                    label='Sentences, one per line', lines=2, max_lines=12, elem_id='vtg-text',
                    placeholder='a person opens the door',
                )  # fmt: skip
                models = gradio.CheckboxGroup(
                    names, value=names[:1], label='Models', visible=len(names) > 1
                )
                ask = gradio.Button('Find', variant='primary', elem_id='vtg-find')
                status = gradio.HTML(
                    view.note('Choose a video and write what to look for.'),
                    elem_id='vtg-status', **plain,
                )  # fmt: skip
                moments = gradio.HTML(elem_id='vtg-results', **plain)
                timelines = gradio.HTML(elem_id='vtg-timelines', **plain)
                files = gradio.File(
                    label='Subtitles (SRT, WebVTT), edit list (EDL)', file_count='multiple',
                    interactive=False, visible=False, elem_id='vtg-files',
                )  # fmt: skip
                cut = gradio.Button('Cut the moments as clips', visible=False, elem_id='vtg-cut')
                clips = gradio.File(
                    label='Clips, which begin with the key frame before', file_count='multiple',
                    interactive=False, visible=False, elem_id='vtg-clips',
                )  # fmt: skip
        answer = [moments, timelines, files, cut, clips, found]
        nothing = ['', '', *3 * [gradio.update(value=None, visible=False)], None]
        nothing[3] = gradio.update(visible=False)
        page = Page(gradio, service, nothing)
        shared = {
            'show_progress': 'hidden', 'concurrency_id': 'vtg', 'concurrency_limit': 1,
            'api_visibility': 'private',
        }  # fmt: skip
        start = [upload, number, choice, player, status, *answer]
        upload.upload(page.receive, [upload, models], start, **shared)
        upload.clear(page.clear, None, start, **shared)
        number.input(page.choose, [number, models], start, **shared)
        asked = [choice, text, models], [status, *answer]
        ask.click(page.ask, *asked, **shared)
        cut.click(page.cut, [found], [status, clips], **shared)
    return blocks


class Page:
    """What happens on the page; what goes wrong is one sentence on it.

    Args:
        gradio: The module.
        service: What answers.
        nothing: Values of the parts of an answer while there is none.
    """

    def __init__(self, gradio: Any, service: Service, nothing: Sequence[Any]) -> None:
        self.gradio = gradio
        self.service = service
        self.nothing = list(nothing)

    def receive(self, upload: str | None, models: list[str]) -> Iterator[list[Any]]:
        """A video was dropped: show it and encode it."""
        yield from self._start(lambda: self.service.receive(str(upload)), models, [KEEP, None])

    def choose(self, number: int | None, models: list[str]) -> Iterator[list[Any]]:
        """A video of the index was chosen."""
        yield from self._start(lambda: self.service.choose(number), models, [None, KEEP])

    def clear(self) -> list[Any]:
        """The upload was taken away."""
        return [None, None, None, '', view.note('Choose a video.'), *self.nothing]

    def _start(
        self, take: Callable[[], Choice], models: list[str], fields: Sequence[Any]
    ) -> Iterator[list[Any]]:
        """Show a video and encode it; ``fields`` are the two that a video can come from."""
        keep = self.gradio.skip()
        choice: Choice | None = None
        try:
            choice = take()
            shown = view.player(choice, [view.address(file) for file in choice.files])
            first = [keep if field is KEEP else field for field in fields]
            yield [*first, choice, shown, view.progress(0, 1), *self.nothing]
            same = [keep, keep, keep, keep]
            for done, total in self.service.encode(choice, models):
                yield [*same, view.progress(done, total), *[keep] * len(self.nothing)]
            ready = view.note('The video is ready; write what to look for.')
            yield [*same, ready, *[keep] * len(self.nothing)]
        except Exception as error:
            # The field is free for another video.
            yield [None, None, None, '', self._failed(error, choice), *self.nothing]

    def ask(self, choice: Choice | None, text: str, models: list[str]) -> Iterator[list[Any]]:
        """Sentences were written."""
        try:
            if choice is None:
                raise ConfigError('there is no video yet; drop one, then write what to look for.')
            for done, total in self.service.encode(choice, models):
                yield [view.progress(done, total), *self.nothing]
            found = self.service.answer(choice, models, text)
            top, show = self.service.top, self.gradio.update
            texts = list(map(str, self.service.texts(found)))
            parts = [view.moments(found, top), view.timelines(found, top)]
        except Exception as error:
            yield [self._failed(error, choice), *self.nothing]
            return
        count = sum(len(one.moments(top)) for rows in found.answers.values() for one in rows)
        yield [
            view.note(f'{count} moments' if count else 'no moment was found'), *parts,
            show(value=texts, visible=bool(count)), show(visible=bool(count)),
            show(value=None, visible=False), found,
        ]  # fmt: skip

    def cut(self, found: Found | None) -> list[Any]:
        """Clips are wanted."""
        try:
            if found is None:
                raise ConfigError('there is no answer yet; write what to look for.')
            clips = list(map(str, self.service.clips(found)))
        except Exception as error:
            return [self._failed(error, found.choice if found else None), self.gradio.skip()]
        return [
            view.note(f'{len(clips)} clips are ready below.'),
            self.gradio.update(value=clips, visible=True),
        ]

    def _failed(self, error: Exception, choice: Choice | None = None) -> str:
        """The sentence for the page; a bug is told to the terminal."""
        sentence = sentence_of(error, 'try again')
        if sentence is None:
            # It may quote what a browser sent.
            print(printable(''.join(traceback.format_exception(error)), keep='\n'), file=sys.stderr)
            sentence = _BROKEN
        # Where uploads lie concerns nobody, nor where the videos of an index do.
        sentence = _UPLOAD.sub('', sentence.replace(f'{self.service.folder}/', ''))
        for file in choice.files if choice else ():
            sentence = sentence.replace(str(file), file.name)
        return view.error(sentence)
