# SPDX-License-Identifier: Apache-2.0
"""What a browser may ask for."""

import asyncio
import json

import pytest

from vtg.serve.guard import HEADERS, Guard, allowed


def call(guard, path='/', method='GET', body=b'', host='localhost:7860', kind='http'):
    """Status and headers that a request gets, and what the application behind received."""
    sent, parts = [], [body[:5], body[5:]]

    async def receive():
        part = parts.pop(0)
        return {'type': 'http.request', 'body': part, 'more_body': bool(parts)}

    async def send(message):
        sent.append(message)

    scope = {'type': kind, 'path': path, 'method': method, 'headers': [(b'host', host.encode())]}
    asyncio.run(guard(scope, receive, send))
    return sent[0].get('status', sent[0].get('code')), dict(sent[0].get('headers', ()))


@pytest.fixture
def guard(tmp_path):
    async def app(scope, receive, send):
        if scope['method'] == 'POST':
            app.bodies.append((await receive())['body'])
        await send({'type': 'http.response.start', 'status': 200, 'headers': []})

    app.bodies = []
    made = Guard(app, tmp_path, frozenset(('127.0.0.1', 'localhost', '::1')))
    made.bodies = app.bodies
    return made


def test_addresses(guard):
    for path in ('/', '/config', '/assets/a.js', '/gradio_api/queue/join', '/gradio_api/upload',
                 '/gradio_api/file=/a.mp4', '/gradio_api/heartbeat/x'):  # fmt: skip
        assert allowed(path) and call(guard, path)[0] == 200, path
    for path in ('/gradio_api/file=http://x.org/a', '/gradio_api/file=a.mp4', '/monitoring', '/x',
                 '/gradio_api/proxy=http://x.org', '/gradio_api/process_recording', '/login',
                 '/gradio_api/runs', '/gradio_api/upload/x', '/gradio_api/call/f'):  # fmt: skip
        assert not allowed(path) and call(guard, path)[0] == 404, path
    headers = call(guard)[1]
    assert headers[b'content-security-policy'].startswith(b"default-src 'self'")
    assert len(headers) == len(HEADERS)
    assert call(guard, kind='websocket')[0] == 1008


def test_names_of_the_server(guard, tmp_path):
    assert {call(guard, host=host)[0] for host in ('127.0.0.1', '[::1]:80', 'LOCALHOST')} == {200}
    assert {call(guard, host=host)[0] for host in ('evil.org', '', '[', 'localhost.x')} == {403}
    assert call(Guard(guard.app, tmp_path), host='any.org')[0] == 200


def test_a_browser_names_uploads_only(guard, tmp_path):
    def status(path):
        body = json.dumps({'data': [{'a': [{'path': path, 'meta': {'_type': 'gradio.FileData'}}]}]})
        return call(guard, '/gradio_api/queue/join', 'POST', body.encode())[0]

    outside = tmp_path.parent / 'outside'
    outside.mkdir()
    (tmp_path / 'link').symlink_to(outside)
    assert status(str(tmp_path / 'abc' / 'v.mp4')) == 200
    assert json.loads(guard.bodies[0])['data'][0]['a'][0]['path'].endswith('v.mp4')
    for path in ('/etc/hostname', 'http://x.org/a', str(tmp_path / '..' / 'outside' / 'x'), 3, '',
                 str(tmp_path / 'link' / 'x'), None, 'a\0b'):  # fmt: skip
        assert status(path) == 403, path
    for body in (b'no json', b'[' * 100_000, b' ' * (1 << 21)):
        assert call(guard, '/gradio_api/queue/join', 'POST', body)[0] == 403
    assert call(guard, '/gradio_api/cancel', 'POST')[0] == 200 and len(guard.bodies) == 2


def test_a_browser_sends_no_command_to_the_terminal(guard):
    """Gradio prints what it cannot use."""

    def status(value):
        body = json.dumps({'data': value}).encode()
        return call(guard, '/gradio_api/queue/join', 'POST', body)[0]

    for text in ('\x1b[2J', '\x9b2J', 'a\x00', '\x7f'):
        assert [status(text), status([text]), status({text: 1})] == [403] * 3
    assert status(['two\nlines\r\n\tand \u200d日本 ±']) == 200
