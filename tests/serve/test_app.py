# SPDX-License-Identifier: Apache-2.0
"""The handlers of the page, without Gradio; the command; the server."""

import os
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest
from colours import ColourEncoder, write_colours

from vtg.cli import serve
from vtg.registry import ENCODERS
from vtg.search import FileEncoder
from vtg.serve import Service, SimilarityModel
from vtg.serve.app import Page
from vtg.utils import run_main

KEPT = 'as it was'


class FakeGradio:
    """What the handlers ask Gradio for."""

    skip = staticmethod(lambda: KEPT)
    update = staticmethod(lambda **values: values)


@pytest.fixture
def page(tmp_path):
    folder = tmp_path / ('a' * 64)
    folder.mkdir()
    write_colours(folder / 'v.mp4', 6.0, 'mpeg4')
    (folder / 'no.mp4').write_text('text')
    model = SimilarityModel(FileEncoder({'type': ColourEncoder}, 0.5))
    return Page(FakeGradio, Service({'m': model}, tmp_path), [''] * 6), folder, model


def test_handlers(page, capsys):
    page, folder, model = page
    first, *states = page.receive(str(folder / 'v.mp4'), ['m'])
    assert first[:2] == [KEPT, None] and '<video' in first[3] and 'Encoding' in first[4]
    assert 'is ready' in states[-1][4] and {len(state) for state in states} == {11}
    choice = first[2]
    *_, answer = page.ask(choice, 'green\nred', ['m'])
    assert 'moments' in answer[0] and '<iframe' in answer[2] and len(answer[3]['value']) == 3
    status, clips = page.cut(answer[-1])
    assert f'{len(clips["value"])} clips' in status and clips['visible']
    assert model.encoder.encoder.encoded == [12]
    # What goes wrong is one sentence without the place of the file, and the field is free again.
    (failed,) = page.receive(str(folder / 'no.mp4'), ['m'])
    assert failed[:4] == [None, None, None, ''] and '>no.mp4 cannot be decoded (' in failed[4]
    (folder / 'v.mp4').unlink()
    failed = page.cut(answer[-1])[0]
    assert 'role="alert">v.mp4 ' in failed or 'role="alert">' in failed
    assert 'a' * 64 not in failed
    for state in (
        [*page.ask(None, 'x', ['m'])][-1][0], [*page.ask(choice, ' ', ['m'])][-1][0],
        page.cut(None)[0], [*page.choose(3, ['m'])][-1][4],
    ):  # fmt: skip
        assert state.startswith('<p class="vtg-error"') and state.count('.') <= 2
    assert page.clear()[:3] == [None] * 3 and not capsys.readouterr().err
    # A bug is told to the terminal.
    model.search = None
    assert 'its terminal says what' in [*page.ask(choice, 'x', ['m'])][-1][0]
    assert 'TypeError' in capsys.readouterr().err


@pytest.fixture
def command(monkeypatch, capsys):
    monkeypatch.setitem(ENCODERS.module_dict, 'ColourEncoder', ColourEncoder)

    def run(*words, encoder=True):
        options = ['--encoder', '{"type": "ColourEncoder"}'] if encoder else []
        monkeypatch.setattr(sys, 'argv', ['vtg serve', *map(str, words), *options])
        # Where it gives up, run_main leaves signals to the system.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            with pytest.raises(SystemExit) as end:
                run_main(serve.main)
        finally:
            signal.signal(signal.SIGINT, before)
        return end.value.code, capsys.readouterr().err

    return run


def test_bad_starts_are_one_sentence(command, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, 'gradio', None)
    status, err = command('--port', 0)
    assert status == 1 and 'vtg-toolbox[web]' in err and err.count('\n') == 1
    monkeypatch.setitem(sys.modules, 'gradio', object())
    taken = socket.socket()
    taken.bind(('127.0.0.1', 0))
    taken.listen()
    port = taken.getsockname()[1]
    for words, sentence in (
        (('--port', port), f'port {port} of 127.0.0.1 cannot be used'),
        (('--host', 'no such host'), 'is no address of this machine'),
        (('--port', 0, '--index', tmp_path), 'is no index of videos'),
        (('--port', 0, '--model', 'nowhere'), 'nowhere'),
    ):  # fmt: skip
        status, err = command(*words)
        assert status == 1 and sentence in err and err.count('\n') == 1, err
    for words in (('--port', 'x'), ('--port', 65536), ('--max-upload', 0)):
        assert command(*words)[0] == 2
    taken.close()


def test_ctrl_c_ends_the_server(command, monkeypatch, tmp_path):
    pytest.importorskip('uvicorn', reason='needs the extra "web"')
    monkeypatch.setitem(sys.modules, 'gradio', object())
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path))
    seen = {}

    async def app(scope, receive, send):
        if scope['type'] == 'http':
            await send({'type': 'http.response.start', 'status': 204, 'headers': []})
            await send({'type': 'http.response.body', 'body': b''})

    def build(service, note, max_upload, hosts):
        seen.update(models=list(service.models), hosts=hosts, folder=service.folder)
        return app

    def interrupt(shown):
        if 'shows the page' in shown:
            seen['url'] = shown.split()[0]
            threading.Thread(target=stop).start()

    def stop():
        for _ in range(100):
            try:
                seen['status'] = urllib.request.urlopen(seen['url'], timeout=5).status
                break
            except OSError:
                time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr('vtg.serve.app.build', build)
    monkeypatch.setattr(serve, 'say', interrupt)
    status, err = command('--port', 0)
    assert status == 130 and 'stopped by Ctrl-C' in err and err.count('\n') == 1
    assert seen['models'] == ['similarity (colour)'] and seen['status'] == 204
    assert 'localhost' in seen['hosts'] and not seen['folder'].exists()
