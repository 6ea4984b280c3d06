# SPDX-License-Identifier: Apache-2.0
"""Own videos of any length and clip length, through the interface for users."""

from pathlib import Path

import numpy as np
import pytest
import torch

from vtg.apis.inference import Inferencer
from vtg.engine import load_config
from vtg.registry import MODELS

ROOT = Path(__file__).resolve().parents[2] / 'configs'
SYSTEMS = sorted(path.stem for path in (ROOT / '_base_/models').glob('*.py'))
SMALL = dict(dim=16, num_heads=2, hidden_dim=16)


def small_config(name, **dataset):
    cfg = load_config(ROOT / name)
    cfg.model.defaults.update(SMALL)
    cfg.model.video_projector.in_dim, cfg.model.text_projector.in_dim = 10, 6
    data = cfg.test_dataloader.dataset
    for kind in ('video', 'text'):
        if isinstance(data.get(kind), dict):  # a store that names the width of its features
            data[kind].pop('dim', None)
    data.update(dataset)
    return cfg


def inferencer(cfg, tmp_path):
    torch.manual_seed(0)
    path = tmp_path / 'weights.pth'
    plain = {key: value for key, value in cfg.model.items() if key != 'windows'}
    model = MODELS.build({**plain, 'type': 'Grounder'})
    # Heads that begin with weights of zero (EaTR's) would find the middle half of every video.
    for weight in model.parameters():
        weight.data += 0.05 * torch.randn_like(weight)
    torch.save(model.state_dict(), path)
    return Inferencer(cfg, path, device='cpu')


def features(clips, width=8, video_rows=(), text_rows=()):
    rng = np.random.default_rng(0)
    return rng.normal(size=(clips, *video_rows, width)), [rng.normal(size=(5, *text_rows, 6))]


def test_every_system_has_a_config():
    assert all((ROOT / name / 'custom.py').is_file() for name in SYSTEMS)


@pytest.mark.parametrize('system', SYSTEMS)
def test_no_length_and_no_grid_is_taken_for_granted(tmp_path, system):
    """400 s at half a second per clip: moments lie anywhere in the video, to any fraction."""
    infer = inferencer(small_config(f'{system}/custom.py', clip_length=0.5), tmp_path)
    endpoints = 2 * len(infer.dataset.assembly.tef_after(1))  # UMT has none
    reader = infer.dataset.reader
    shapes = (stores[0].row_shape for stores in (reader.video, reader.text))
    video, text = features(800, 10 - endpoints, *shapes)
    sound = [np.zeros((800, store.dim)) for store in infer.dataset.reader.audio]
    (result,) = infer(video, 'a query', text, audio_features=sound)
    assert result.duration == 400 and len(result.saliency) == 800
    moments = np.asarray(result.moments)
    assert (moments[:, :2] >= 0).all() and (moments[:, :2] <= 400 + 1e-3).all()
    assert (moments[:, 1] > 152).any()
    assert (np.abs(moments[:, :2] - np.round(moments[:, :2])) > 1e-3).any()
    for rows in result.alternatives.values():
        assert all(0 <= start <= end <= 400 + 1e-3 for start, end, _ in rows)


def test_two_hours_by_windows(tmp_path):
    infer = inferencer(small_config('qd_detr/custom_long.py'), tmp_path)
    path = tmp_path / 'long.npz'
    video, text = features(3600)
    np.savez(path, features=video)
    (result,) = infer(path, 'a query', text)
    assert result.vid == 'long' and result.duration == 7200 and len(result.saliency) == 3600
    moments = np.asarray(result.moments)
    assert 10 < len(moments) <= 100 and (np.diff(moments[:, 2]) <= 0).all()
    assert (moments[:, 0] < 1000).any() and (moments[:, 1] > 6000).any()
    assert np.isfinite(moments).all() and np.isfinite(result.saliency).all()


def test_short_videos_are_those_of_the_plain_model(tmp_path):
    windows = inferencer(small_config('qd_detr/custom_long.py'), tmp_path)
    plain = inferencer(small_config('qd_detr/custom.py'), tmp_path)
    video, text = features(150)
    assert windows(video, 'a query', text) == plain(video, 'a query', text)
