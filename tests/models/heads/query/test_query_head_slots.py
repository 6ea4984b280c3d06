# SPDX-License-Identifier: Apache-2.0
"""Moment-DETR's and QD-DETR's models on small batches, and parts that do not fit together."""

from pathlib import Path

import pytest
import torch
from reference_values.common import check_padding, without_noise

from vtg.engine import load_config
from vtg.evaluation.records import to_records
from vtg.registry import MODELS
from vtg.utils import ConfigError

CONFIGS = Path(__file__).resolve().parents[4] / 'configs/_base_/models'
NARROW = {
    'model.defaults': dict(dim=16, num_heads=4, hidden_dim=32),
    'model.video_projector.in_dim': 10,
    'model.text_projector.in_dim': 8,
    'model.moment_head.queries.num_queries': 6,
}
ALIGNMENT = dict(type='QueryTextAlignment', embed_dim=8)


def config(name, **changes):
    cfg = load_config(CONFIGS / f'{name}.py')
    cfg.merge_from_dict({**NARROW, **{f'model.{key}': value for key, value in changes.items()}})
    return cfg.model


@pytest.mark.parametrize(
    'name, changes',
    [
        ('moment_detr', {}),
        ('moment_detr', {'moment_head.losses.align': ALIGNMENT}),
        ('qd_detr', {}),
    ],
)
def test_padding_and_neighbours_reach_nothing(toy, shaken, name, changes):
    model = shaken(without_noise(MODELS.build(config(name, **changes))), 0.1)
    rows = list(check_padding(model, toy.batch()))
    assert len(rows) > 12 and [row for row in rows if row.failed] == []


# A constant cancels in a pair of clips; the content of the queries is zero in the first layer.
CONTENT = [f'moment_head.decoder.layers.0.self_{part}.weight' for part in
           ('query_content', 'key_content', 'value')]  # fmt: skip
IDLE = {'moment_detr': ['saliency_head.score.bias'], 'qd_detr': CONTENT}


@pytest.mark.parametrize('name', IDLE)
def test_every_other_parameter_learns(toy, shaken, without_gradient, name):
    model = shaken(MODELS.build(config(name)), 0.1)
    losses = model(**model.data_preprocessor(toy.batch(), True), mode='loss')
    assert all(key.startswith('loss_') for key in losses)
    sum(losses.values()).backward()
    assert without_gradient(model) == IDLE[name]


def test_moments_end_with_the_video_unless_told_otherwise(toy):
    batch = toy.batch()
    for clamp in (True, False):
        cfg = config(
            'qd_detr', **{'moment_head.ranking.clamp': clamp, 'test_cfg.post_processor': None}
        )
        model = MODELS.build(cfg).eval()
        with torch.no_grad():
            model.slots['moment_head'].span_head[-1].bias.fill_(4.0)
            records = to_records(model(**model.data_preprocessor(batch, False), mode='predict'))
        ends = [max(window[1] for window in r['pred_relevant_windows']) for r in records]
        beyond = [end > seconds for end, seconds in zip(ends, batch['duration'].tolist())]
        assert any(beyond) is not clamp


def test_negatives_of_one_source_count_only_if_told(toy):
    batch = toy.batch(sources=(0, 0, 1))
    for same_source, expected in ((False, [False, True, True]), (True, [True] * 3)):
        model = MODELS.build(config('qd_detr', **{'negatives.same_source': same_source}))
        arguments = model.data_preprocessor(batch, True)
        targets = arguments.pop('targets')
        state = model(**arguments, mode='tensor').update(targets=targets)
        assert model.with_negatives(state).negative_valid.tolist() == expected


@pytest.mark.parametrize(
    'name, changes, sentence',
    [
        ('moment_detr', {'moment_head.queries.type': 'LearnedQueries'}, 'learned slots'),
        ('moment_detr', {'moment_head.quality': True}, 'quality needs a decoder'),
        ('moment_detr', {'fusion': None}, 'fused_text'),
        ('qd_detr', {'encoder.context_token': None}, 'needs `context`'),
        ('qd_detr', {'moment_head.losses.align': ALIGNMENT}, 'losses .* need `fused_text`'),
        (
            'qd_detr',
            {'moment_head.queries': dict(_delete_=True, type='LearnedSlots')},
            'queries that are spans',
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(name, changes, sentence):
    with pytest.raises(ConfigError, match=sentence):
        MODELS.build(config(name, **changes))
