# SPDX-License-Identifier: Apache-2.0
"""Whole models with feedback between the tasks, in every order that has a config."""

import copy
from functools import cache
from pathlib import Path

import pytest
import torch
from reference_values.common import check_padding, predict, train_step, without_noise

from vtg.engine import load_config
from vtg.registry import MODELS
from vtg.structures import Progress
from vtg.utils import ConfigError

CONFIGS = Path(__file__).resolve().parents[2] / 'configs/taskweave'
# Config: the saliency and the spans differ from those without feedback, after 0.6 and 0.9.
ORDERS = {
    'qvhl_mr2hd.py': ((True, False), (True, False)),
    'qvhl_mr2hd_paper.py': ((True, False), (True, False)),
    'qvhl_hd2mr.py': ((False, True), (False, True)),
    'qvhl_hd2mr_paper.py': ((False, True), (False, True)),
    'qvhl_bi_mrhd.py': ((True, True), (True, True)),
    'qvhl_mr_hd.py': ((True, False), (False, True)),
    'qvhl_hd_mr.py': ((False, True), (True, False)),
    'qvhl_no_feedback.py': ((False, False), (False, False)),
}


@cache
def model_of(name):
    return load_config(CONFIGS / name).model


@pytest.fixture
def build(shaken):
    """``build(name)``: the narrow model of a config, without noise."""

    def make(name='qvhl.py', **overrides):
        cfg = copy.deepcopy(model_of(name))
        cfg.defaults.update(dim=16, num_heads=4, hidden_dim=32)
        cfg.video_projector.in_dim, cfg.text_projector.in_dim = 10, 8
        for slot, value in overrides.items():
            cfg[slot] = value
        torch.manual_seed(0)
        return without_noise(shaken(MODELS.build(cfg), 0.1))

    return make


def outputs(model, batch, share):
    model.progress = Progress(round(share * 200), 200)
    return predict(model, batch)[0]


@pytest.mark.parametrize('name', ORDERS)
def test_order(build, toy, name):
    model, batch = build(name), toy.batch()
    mask = batch['video_mask']
    before = outputs(model, batch, 0.2)
    for share, (saliency_differs, spans_differ) in zip((0.6, 0.9), ORDERS[name]):
        after = outputs(model, batch, share)
        same = torch.allclose(after.saliency[mask], before.saliency[mask], atol=1e-6)
        assert same != saliency_differs, share
        assert torch.allclose(after.spans, before.spans, atol=1e-6) != spans_differ, share
    # Weights without an epoch are in the last phase.
    model.progress = Progress()
    last = predict(model, batch)[0]
    assert torch.equal(last.saliency[mask], after.saliency[mask])


@pytest.mark.parametrize('name', ORDERS)
@pytest.mark.parametrize('share', [0.2, 0.6, 0.9])
def test_padding_does_not_matter(build, toy, name, share):
    model = build(name)
    model.progress = Progress(round(share * 200), 200)
    batch = toy.batch(clips=(12, 5, 9))
    assert [row for row in check_padding(model, batch) if row.failed] == []


@pytest.mark.parametrize('name', ['qvhl_mr2hd.py', 'qvhl_mr2hd_paper.py', 'qvhl_bi_mrhd.py'])
def test_negatives_have_no_feedback(build, toy, name):
    model, batch = build(name), toy.batch()
    negatives = []
    for share in (0.2, 0.9):
        model.progress = Progress(round(share * 200), 200)
        negatives.append(train_step(model, batch).state.negative.saliency)
    assert torch.equal(*negatives)


def test_every_parameter_learns(build, toy, without_gradient):
    for name in ('qvhl_bi_mrhd.py', 'qvhl_experts_transformer.py'):
        model = build(name)
        model.progress = Progress(199, 200)
        train_step(model, toy.batch())
        # The first layer's queries start with content zero.
        assert all('layers.0.self_' in key for key in without_gradient(model)), name


def test_a_gain_without_a_reader_is_refused(build):
    linear = dict(type='LinearSaliencyHead', after='moment_head')
    with pytest.raises(ConfigError, match=r'sets `clip_gain`, which nothing after it reads: run '
                                          'one of LightSaliencyHead'):  # fmt: skip
        build(saliency_head=linear)
    model = build('qvhl_mr2hd_paper.py', saliency_head=linear)
    assert type(model.slots['saliency_head']).__name__ == 'LinearSaliencyHead'


def test_a_stage_that_runs_twice_is_listed_once(build):
    assert repr(build('qvhl_bi_mrhd.py')).count('saliency_head') == 1


def test_published_size():
    cfg = load_config(CONFIGS / 'qvhl.py').model
    count = sum(parameter.numel() for parameter in MODELS.build(cfg).parameters())
    # The released code stores an unused text position of 32 * 256 + 512 numbers too.
    assert count == 7_784_488 - 8_704
