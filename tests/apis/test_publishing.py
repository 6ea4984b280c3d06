# SPDX-License-Identifier: Apache-2.0
"""Published models: the same model comes back, nothing of theirs is executed."""

import base64
import hashlib
import http.server
import json
import os
import shutil
import threading

import numpy as np
import pytest
import torch
from systems import CONFIGS, SYSTEMS, small_system

from vtg.apis.inference import Inferencer
from vtg.apis.publishing import find_model, publish_model, push_model
from vtg.engine import load_config, read_checkpoint
from vtg.engine.published import read_published, write_config
from vtg.registry import MODELS
from vtg.utils import CheckpointError, ConfigError, hold, write_json

SHA = 'c0ffee' * 6 + 'c0ff'


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A config for features of width 8, and random weights with the epoch that they finished."""
    folder = tmp_path_factory.mktemp('run')
    (folder / 'tiny.py').write_text(
        f"_base_ = '{CONFIGS}/qd_detr/demo.py'\n"
        'model = dict(video_projector=dict(in_dim=10), text_projector=dict(in_dim=8))\n'
        '_widths = dict(dataset=dict(video_dims=(8,), text_dim=8))\n'
        'train_dataloader = val_dataloader = test_dataloader = _widths\n'
        'del _widths\n'
    )
    torch.manual_seed(0)
    model = MODELS.build(load_config(folder / 'tiny.py').model)
    meta = dict(epoch=3, max_epochs=5, cfg='print("never run")')
    torch.save({'state_dict': model.state_dict(), 'meta': meta}, folder / 'best.pth')
    report = dict(
        facts=dict(checkpoint='elsewhere/best.pth', split='val'),
        columns=['detr', 'Paper 2020'],
        metrics={'MR-full-mAP': {'detr': 41.5, 'Paper 2020': 30.0}, 'a|b': {'detr': None}},
    )
    write_json(folder / 'report_val.json', report)
    write_json(folder / 'report_test.json', report | {'facts': dict(checkpoint='other.pth')})
    return folder / 'tiny.py', folder / 'best.pth'


@pytest.fixture(scope='module')
def published(trained, tmp_path_factory):
    return publish_model(
        load_config(trained[0]), trained[1], tmp_path_factory.mktemp('out') / 'my_model'
    )


def answer(inferencer):
    features = np.random.default_rng(0).normal(size=(30, 8)).astype(np.float32)
    return inferencer(features, 'a dog', [features[:5]])[0].to_dict()


def test_the_same_model_comes_back(trained, published, tmp_path):
    assert sorted(path.name for path in published.iterdir()) == [
        'README.md', 'config.json', 'model.safetensors',
    ]  # fmt: skip
    assert answer(Inferencer.from_pretrained(published)) == answer(Inferencer(*trained))
    content = read_checkpoint(published)
    assert content['meta'] == {'epoch': 3, 'max_epochs': 5}
    # The tools take the folder as config and as checkpoint; published again it is the same.
    again = publish_model(load_config(published), published, tmp_path / 'again')
    first, second = (read_published(folder) for folder in (published, again))
    assert first['config'] == second['config'] and second['name'] == 'again'


def test_what_a_killed_process_left_is_removed_unless_one_writes(published, tmp_path):
    left, used = (tmp_path / f'.mine.publishing-{name}' for name in ('left', 'used'))
    for folder in (left, used, tmp_path / '.mine-original', tmp_path / '.mine2.publishing-left'):
        folder.mkdir()
        (folder / 'model.safetensors').write_bytes(b'half')
    writer = os.open(used, os.O_RDONLY)
    try:
        assert hold(writer)
        publish_model(load_config(published), published, tmp_path / 'mine')
    finally:
        os.close(writer)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        '.mine-original', '.mine.publishing-used', '.mine2.publishing-left', 'mine',
    ]  # fmt: skip


def test_the_card_shows_the_report_of_the_checkpoint(published):
    card = (published / 'README.md').read_text()
    assert card.startswith('---\nlibrary_name: vtg\n') and '41.50' in card
    assert 'a\\|b' in card and 'Paper 2020' not in card and '30.00' not in card
    assert read_published(published)['metrics'] == {'val': {'MR-full-mAP': 41.5, 'a|b': None}}


@pytest.mark.parametrize('name', SYSTEMS)
def test_configs_of_all_systems_survive(name, tmp_path):
    cfg = load_config(CONFIGS / name / 'qvhl_official.py')
    write_config(tmp_path / 'config.json', cfg, {})
    json.loads((tmp_path / 'config.json').read_text(), parse_constant=pytest.fail)
    read = load_config(tmp_path)

    def listed(value):
        if isinstance(value, dict):
            return {key: listed(item) for key, item in value.items()}
        return [listed(item) for item in value] if isinstance(value, list | tuple) else value

    wanted, got = listed(cfg.to_dict()), listed(read.to_dict())
    for key in ('work_dir', 'load_from', 'resume', 'launcher', 'custom_imports', 'filename'):
        wanted.pop(key, None)
    assert got == wanted

    def as_read(model):
        for key in ('defaults', *(key for key in model if key.endswith('_projector'))):
            got['model'][key] = model[key]  # as they were made small
        model.clear()
        model.update(got['model'])

    shapes = [
        {key: value.shape for key, value in model.state_dict().items()}
        for model in (
            small_system(f'{name}/qvhl_official', change=change, layers=None)
            for change in (None, as_read)
        )
    ]
    assert shapes[0] == shapes[1]


def test_what_is_not_plain_is_named(tmp_path):
    cfg = load_config(CONFIGS / 'qd_detr' / 'demo.py')
    cfg.model.encoder.num_layers = torch.ones
    with pytest.raises(ConfigError, match=r'config\.model\.encoder\.num_layers is <built-in'):
        write_config(tmp_path / 'config.json', cfg, {})
    assert not list(tmp_path.iterdir())


def test_nothing_is_imported_or_executed(published, tmp_path, monkeypatch):
    content = json.loads((published / 'config.json').read_text())
    content['config']['custom_imports'] = dict(imports=['evil'])
    (tmp_path / 'config.json').write_text(json.dumps(content))
    (tmp_path / 'evil.py').write_text('raise SystemExit("executed")')
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigError, match='custom_imports'):
        load_config(tmp_path)


@pytest.mark.parametrize('name', ['os.system', 'subprocess.getoutput', 'torch.hub.load'])
def test_only_registered_components_are_called(name, published, tmp_path):
    content = json.loads((published / 'config.json').read_text())
    call = dict(type=name, command=f'touch {tmp_path}/called')
    for change in (
        dict(
            config={**content['config'], 'model': {**content['config']['model'], 'encoder': call}}
        ),
        dict(encoders=[json.dumps(call)]),
    ):
        folder = tmp_path / f'{len(list(tmp_path.iterdir()))}'
        shutil.copytree(published, folder)
        (folder / 'config.json').write_text(json.dumps({**content, **change}))
        with pytest.raises(ConfigError, match=f"type is '{name}', which is not a registered"):
            Inferencer.from_pretrained(folder)
    assert not (tmp_path / 'called').exists()


@pytest.mark.parametrize(
    ('name', 'content', 'message'),
    [
        ('config.json', '{"format": "vtg model"}', 'holds no config'),
        ('config.json', '{"model_type": "clip"}', 'is not the config of a published model'),
        ('config.json', '[1]', 'is not the config of a published model'),
    ],
)
def test_configs_of_others(name, content, message, tmp_path):
    (tmp_path / name).write_text(content)
    with pytest.raises(ConfigError, match=message):
        Inferencer.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ('fact', 'value', 'message'),
    [
        ('encoders', 5, 'encoders is 5; expected texts NAME=WEIGHTS'),
        ('encoders', [['x']], 'encoders is .*; expected texts NAME=WEIGHTS'),
        ('text_encoders', {'a': 1}, 'text_encoders is .*; expected texts NAME=WEIGHTS'),
        ('features', ['clip'], r"features is \['clip'\]; expected the name of a recipe"),
        ('encoders', ['{}'], 'has no name under "type"'),
        # The file of such an encoder is a program.
        ('encoders', ['torchscript=evil.pt2'], 'TorchScriptEncoder, whose file is a program'),
        ('encoders', ['{"type": "vtg.TorchScriptEncoder", "weights": "x"}'], 'is a program'),
    ],
)
def test_facts_of_others(fact, value, message, published, tmp_path):
    shutil.copytree(published, tmp_path / 'model')
    content = json.loads((published / 'config.json').read_text())
    (tmp_path / 'model/config.json').write_text(json.dumps({**content, fact: value}))
    with pytest.raises(ConfigError, match=message):
        Inferencer.from_pretrained(tmp_path / 'model')


def test_weights_whose_answers_are_no_numbers(trained, tmp_path):
    """They are finite themselves, as after one wrong bit of an exponent."""
    content = torch.load(trained[1], weights_only=True)
    for value in content['state_dict'].values():
        if value.is_floating_point():
            value.fill_(1e38)
    torch.save(content, tmp_path / 'wrong.pth')
    with pytest.raises(CheckpointError, match='the model gives NaN or infinite moments'):
        answer(Inferencer(trained[0], tmp_path / 'wrong.pth'))


def test_damaged_weights(published, tmp_path):
    whole = (published / 'model.safetensors').read_bytes()
    for name, content in {'cut': whole[:-9], 'other': b'PK' + whole, 'empty': b''}.items():
        path = tmp_path / f'{name}.safetensors'
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match=f'{name}.safetensors is not a readable'):
            read_checkpoint(path)


def test_places(trained, tmp_path):
    cfg = load_config(trained[0])
    (tmp_path / 'mine').mkdir()
    (tmp_path / 'mine' / 'thesis.txt').write_text('x')
    with pytest.raises(ConfigError, match='exists, so it is not overwritten'):
        publish_model(cfg, trained[1], tmp_path / 'mine')
    cfg.model.encoder.num_layers = 1
    with pytest.raises(CheckpointError, match='does not fit the model'):
        publish_model(cfg, trained[1], tmp_path / 'wrong')
    assert [path.name for path in tmp_path.iterdir()] == ['mine']
    for name, message in {
        str(tmp_path / 'absent'): 'absent does not exist; give the folder',
        'just_a_name': 'is no folder and no name on the hub',
    }.items():
        with pytest.raises(ConfigError, match=message):
            find_model(name)


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of the hub as a download and an upload ask for."""

    files: dict[str, bytes] = {}
    requests: list[str] = []

    def log_message(self, *_):
        pass

    def say(self, content, status=200, **headers):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for key, value in {'Content-Length': str(len(body)), **headers}.items():
            self.send_header(key.replace('_', '-'), value)
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    def do_GET(self):
        name = self.path.rpartition('/')[2]
        if self.path.startswith('/api/models/me/model/tree/'):
            sizes = {file: len(content) for file, content in self.files.items()}
            self.say([dict(type='file', path=k, size=v, oid=SHA) for k, v in sizes.items()])
        elif self.path.startswith('/api/models/me/model/'):
            siblings = [{'rfilename': file} for file in self.files]
            self.say({'id': 'me/model', 'sha': SHA, 'siblings': siblings, 'private': False})
        elif self.path.startswith('/me/model/resolve/') and name in self.files:
            etag = hashlib.sha256(self.files[name]).hexdigest()
            self.say(self.files[name], ETag=f'"{etag}"', X_Repo_Commit=SHA)
        else:
            self.say({}, 404, X_Error_Code='RepoNotFound')

    do_HEAD = do_GET

    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        self.requests.append(self.path)
        address = f'http://{self.headers["Host"]}/me/model'
        if self.path.endswith('/preupload/main'):
            names = [file['path'] for file in json.loads(body)['files']]
            modes = [dict(path=name, uploadMode='regular', shouldIgnore=False) for name in names]
            self.say({'files': modes})
        elif self.path.endswith('/commit/main'):
            for line in map(json.loads, body.splitlines()):
                if line['key'] == 'file':
                    self.files[line['value']['path']] = base64.b64decode(line['value']['content'])
            self.say(dict(commitOid=SHA, commitUrl=f'{address}/commit/{SHA}', success=True))
        else:
            self.say({'url': address, 'name': 'me/model'})


@pytest.fixture
def hub(monkeypatch, tmp_path):
    monkeypatch.setattr(Hub, 'files', {})
    monkeypatch.setattr(Hub, 'requests', [])
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv('HF_ENDPOINT', f'http://127.0.0.1:{server.server_port}')
    monkeypatch.setattr('huggingface_hub.constants.HF_HUB_CACHE', str(tmp_path / 'cache'))
    yield Hub
    server.shutdown()
    server.server_close()


def test_up_to_the_hub_and_back(hub, published):
    address = push_model(published, 'me/model')
    assert address.endswith(f'/me/model/commit/{SHA}')
    assert set(hub.files) == {'README.md', 'config.json', 'model.safetensors'}
    hub.files['code.py'] = b'raise SystemExit'
    folder = find_model('me/model')
    assert {path.name for path in folder.iterdir()} == set(hub.files) - {'code.py'}
    assert answer(Inferencer.from_pretrained('me/model')) == answer(
        Inferencer.from_pretrained(published)
    )
    with pytest.raises(ConfigError, match='you/model is no folder here and could not be fetched'):
        find_model('you/model')


def test_no_network(monkeypatch, published):
    monkeypatch.setenv('HF_ENDPOINT', 'http://127.0.0.1:9')
    with pytest.raises(ConfigError, match='no/network is no folder here and could not be fetched'):
        find_model('no/network')
    with pytest.raises(ConfigError, match='no/network could not be uploaded'):
        push_model(published, 'no/network')
