# SPDX-License-Identifier: Apache-2.0
"""What stands before Gradio: only the addresses that the page needs, and nothing from elsewhere."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# Beginnings of paths. Gradio has many more: it fetches addresses for the browser, records the
# screen, edits apps, and keeps a log of runs.
_PAGES = ('/', '/config', '/config/', '/favicon.ico', '/manifest.json', '/robots.txt', '/theme.css')
_FOLDERS = ('/static/', '/assets/', '/svelte/')
_API = ('app_id', 'cancel', 'heartbeat/', 'info', 'queue/join', 'queue/data', 'reset',
        'startup-events', 'theme.css', 'upload', 'upload_progress')  # fmt: skip
_FILE = '/gradio_api/file='
_MOST_JSON = 1 << 20
# All but tabs and ends of lines.
_CONTROL = re.compile(r'[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]')
HEADERS: Mapping[str, str] = {
    'content-security-policy': (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; "
        "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; "
        "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    ),
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
}
"""Sent with everything. The browser then loads and calls nothing but this server."""


class Guard:
    """Refuses what the page does not need before Gradio sees it.

    Args:
        app: What answers the rest.
        folder: Where uploads lie; files that a browser names to a handler lie there.
        hosts: Names under which the server may be called; empty for any. A page of another site
            whose name was made to point here is refused so.
    """

    def __init__(self, app: Any, folder: Path, hosts: frozenset[str] = frozenset()) -> None:
        self.app = app
        self.folder = folder.resolve()
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope['type'] == 'lifespan':
            await self.app(scope, receive, send)
            return
        if scope['type'] != 'http' or not self._known_host(scope):
            await _refuse(scope, send, 403)
            return
        if not allowed(scope['path']):
            await _refuse(scope, send, 404)
            return
        if scope['method'] == 'POST' and scope['path'] != '/gradio_api/upload':
            body = await _body(receive)
            if body is None or not self._harmless(body):
                await _refuse(scope, send, 403)
                return
            receive = _again(body, receive)

        async def with_headers(message: MutableMapping[str, Any]) -> None:
            if message['type'] == 'http.response.start':
                new = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message['headers'] = [*message.get('headers', ()), *new]
            await send(message)

        await self.app(scope, receive, with_headers)

    def _known_host(self, scope: Scope) -> bool:
        host = dict(scope['headers']).get(b'host', b'').decode('latin-1')
        try:
            name = urlsplit(f'//{host}').hostname
        except ValueError:
            return False
        return not self.hosts or name in self.hosts

    def _harmless(self, body: bytes) -> bool:
        """Whether all files that a request names are uploads, and no text of it is a command to the
        terminal, to which Gradio prints what it cannot use."""
        try:
            pending = [json.loads(body)] if body else []
        except (ValueError, RecursionError):
            return False
        while pending:
            value = pending.pop()
            if isinstance(value, dict):
                if 'path' in value and not self._is_upload(value['path']):
                    return False
                pending += [*value, *value.values()]
            elif isinstance(value, list):
                pending += value
            elif isinstance(value, str) and _CONTROL.search(value):
                return False
        return True

    def _is_upload(self, path: object) -> bool:
        try:
            return isinstance(path, str) and Path(path).resolve().is_relative_to(self.folder)
        except (OSError, ValueError, RuntimeError):
            return False


def allowed(path: str) -> bool:
    """Whether the page needs an address."""
    if path.startswith(_FILE):
        # Gradio would fetch an address; a file that it may serve begins with the root.
        return Path(path.removeprefix(_FILE)).is_absolute()
    if path.startswith('/gradio_api/'):
        rest = path.removeprefix('/gradio_api/')
        return any(rest.startswith(one) if one[-1] == '/' else rest == one for one in _API)
    return path in _PAGES or path.startswith(_FOLDERS)


async def _body(receive: Receive) -> bytes | None:
    """What is sent, None where it is too much for a form or the browser has left."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message['type'] != 'http.request':
            return None
        parts.append(message.get('body', b''))
        size += len(parts[-1])
        if size > _MOST_JSON:
            return None
        if not message.get('more_body'):
            return b''.join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """Give what was read to who comes next."""
    given = False

    async def read() -> MutableMapping[str, Any]:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {'type': 'http.request', 'body': body, 'more_body': False}

    return read


async def _refuse(scope: Scope, send: Send, status: int) -> None:
    if scope['type'] == 'websocket':
        await send({'type': 'websocket.close', 'code': 1008})
        return
    text = b'This page has nothing here.'
    headers = [(b'content-type', b'text/plain'), (b'content-length', str(len(text)).encode())]
    await send({'type': 'http.response.start', 'status': status, 'headers': headers})
    await send({'type': 'http.response.body', 'body': text})
