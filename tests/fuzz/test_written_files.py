# SPDX-License-Identifier: Apache-2.0
"""Damaged files that the tools themselves write and read again: a sentence, or what they say."""

import json
import math
import random
import shutil
from functools import partial

import numpy as np
import pytest
import torch
from campaign import mutated_bytes, mutated_json, outcome
from systems import CONFIGS

from vtg.apis.inference import Inferencer
from vtg.apis.publishing import publish_model
from vtg.engine import load_config
from vtg.registry import MODELS
from vtg.reports.collection import collect, results_csv, results_page
from vtg.search import VideoIndex
from vtg.utils import write_json

REPORT = {
    'facts': {'dataset': 'd', 'split': 'val', 'config': 'a/b.py', 'seed': 1, 'queries': 9,
              'features': 'f', 'checkpoint': 'best.pth', 'selection': 'best'},
    'columns': ['detr', 'Paper'],
    'metrics': {'MR-full-mAP': {'detr': 41.5, 'Paper': 30.0}, 'q/x': {'detr': None}},
    'headlines': ['MR-full-mAP'],
}  # fmt: skip
LINES = [
    {'lr': 0.1, 'loss': 3.0, 'epoch': 1, 'step': 2}, {'q/mAP': 3.5, 'step': 1},
    {'lr': 0.1, 'loss': 2.0, 'epoch': 2, 'step': 4}, {'q/mAP': 4.5, 'step': 2},
]  # fmt: skip
TIME = '2021_06_08_01_53_07'
LOG = f'{TIME} [Epoch] 000 [Loss] loss_span 1.5 loss_overall 2.5\n{TIME} [Epoch] 001 [Loss] x 1\n'
EVALUATIONS = ''.join(
    f'{TIME} [Epoch] {epoch:03} [Loss] x 1.5 [Metrics] {{"brief": {{"mAP": {epoch}.5}}}}\n'
    for epoch in (4, 9)
)
TABLE = 'size,seed,mAP mean,mAP std,R1\n10,0,4.0,0.5,2\n10,1,5.0,,3\n1e3,0,6,0.1,4\n'


def damaged(content, rng: random.Random) -> bytes:
    """The JSON text of a value, or bytes, with some damage."""
    if isinstance(content, bytes):
        return mutated_bytes(content, rng)
    if rng.random() < 0.2:
        return mutated_bytes(json.dumps(content).encode(), rng)
    return json.dumps(mutated_json(content, rng)).encode()


def check(number: int, content: bytes, run):
    try:
        return outcome(run)
    except Exception as error:
        raise AssertionError(f'input {number}: {content[:3000]!r}') from error


def test_reports(inputs, tmp_path):
    path = tmp_path / 'report_val.json'

    def show():
        runs, notes = collect([tmp_path])
        assert all(note.isprintable() for note in notes)
        (tmp_path / 'runs.csv').write_text(results_csv(runs))
        again, _ = collect([tmp_path / 'runs.csv'])
        assert len(again) == len(runs)
        return results_page(again)

    for number, rng in inputs(12):
        (tmp_path / 'runs.csv').unlink(missing_ok=True)
        content = damaged(REPORT, rng)
        path.write_bytes(content)
        check(number, content, show)


@pytest.fixture(scope='module')
def published(tmp_path_factory):
    folder = tmp_path_factory.mktemp('published')
    (folder / 'tiny.py').write_text(
        f"_base_ = '{CONFIGS}/qd_detr/demo.py'\n"
        'model = dict(defaults=dict(dim=16, num_heads=2, hidden_dim=16),\n'
        '             video_projector=dict(in_dim=10), text_projector=dict(in_dim=8))\n'
        '_widths = dict(dataset=dict(video_dims=(8,), text_dim=8))\n'
        'train_dataloader = val_dataloader = test_dataloader = _widths\n'
        'del _widths\n'
    )
    model = MODELS.build(load_config(folder / 'tiny.py').model)
    torch.save({'state_dict': model.state_dict()}, folder / 'best.pth')
    return publish_model(load_config(folder / 'tiny.py'), folder / 'best.pth', folder / 'model')


@pytest.mark.parametrize('name', ['config.json', 'model.safetensors'])
def test_published_models(published, inputs, tmp_path, name):
    shutil.copytree(published, tmp_path / 'model')
    honest = (published / name).read_bytes()
    content = json.loads(honest) if name == 'config.json' else honest
    # Of the config what the model is made of; the loaders alone are most of it.
    kept = ('model', 'test_dataloader', 'benchmark')
    if name == 'config.json':
        content['config'] = {k: v for k, v in content['config'].items() if k in kept}
        content |= {'encoders': [], 'text_encoders': ['clip=x'], 'features': None}
    features = np.random.default_rng(0).normal(size=(30, 8)).astype(np.float32)

    def answer():
        model = Inferencer.from_pretrained(tmp_path / 'model', device='cpu', text_encoders=[])
        (found,) = model(features, 'a dog', [features[:5]])
        assert all(math.isfinite(value) for row in found.moments for value in row)
        return found

    for number, rng in inputs(10):
        changed = damaged(content, rng)
        (tmp_path / 'model' / name).write_bytes(changed)
        check(number, changed, answer)


class Encoded:
    """Stands for an encoder of files."""

    def __call__(self, path):
        from vtg.search import EncodedFile

        return EncodedFile(path, np.ones((3, 4), np.float32), 6.0)


def test_indexes(inputs, tmp_path):
    file = tmp_path / 'a.mp4'
    file.write_bytes(b'a')
    index = VideoIndex.create(tmp_path / 'index', {'type': 'ClipEncoder', 'weights': 'x'}, 2.0)
    index.add([file], Encoded)
    (stored,) = (tmp_path / 'index/features').iterdir()
    places = [tmp_path / 'index/settings.json', tmp_path / 'index/videos.json', stored]

    def read():
        found, changed = VideoIndex(tmp_path / 'index').read()
        assert len(found) + len(changed) == len(VideoIndex(tmp_path / 'index'))
        assert all(np.isfinite(one.features).all() and one.duration > 0 for one in found)
        return found

    for number, rng in inputs(24):
        place = places[number % 3]
        honest = place.read_bytes()
        content = damaged(honest if place == stored else json.loads(honest), rng)
        place.write_bytes(content)
        check(number, content, read)
        place.write_bytes(honest)


@pytest.mark.parametrize('kind', ['scalars.json', 'train.log.txt', 'eval.log.txt', 'table.csv'])
def test_what_is_drawn(inputs, tmp_path, kind):
    pytest.importorskip('matplotlib', reason='needs the extra "plots"')
    from vtg.plots.curves import plot_curves
    from vtg.plots.scatter import plot_scatter

    path, out = tmp_path / kind, tmp_path / 'x.svg'
    draw = partial(plot_curves, [str(path)], out)
    if kind == 'table.csv':
        draw = partial(plot_scatter, path, 'size', ['mAP', 'R1'], out)
    for number, rng in inputs(6):
        if kind == 'scalars.json':
            lines = [mutated_json(line, rng) if rng.random() < 0.5 else line for line in LINES]
            content = '\n'.join(map(json.dumps, lines)).encode()
            content = mutated_bytes(content, rng) if rng.random() < 0.2 else content
        else:
            honest = {'train.log.txt': LOG, 'eval.log.txt': EVALUATIONS, 'table.csv': TABLE}[kind]
            content = mutated_bytes(honest.encode(), rng)
        path.write_bytes(content)
        out.unlink(missing_ok=True)
        said = check(number, content, draw)
        assert isinstance(said, str) != out.is_file()


def test_reports_of_runs_on_model_cards(published, inputs, tmp_path):
    cfg, weights = load_config(published), published / 'model.safetensors'
    for number, rng in inputs(4):
        content = damaged(REPORT, rng)
        (tmp_path / 'r.json').write_bytes(content)
        out = tmp_path / f'{number}'
        publish = partial(publish_model, cfg, weights, out, report=tmp_path / 'r.json')
        said = check(number, content, publish)
        assert isinstance(said, str) != (out / 'README.md').is_file()


def test_what_is_whole_is_read(tmp_path):
    """The honest files of this module are none of those that are refused."""
    write_json(tmp_path / 'report_val.json', REPORT)
    assert '41.50' in results_page(collect([tmp_path])[0])
