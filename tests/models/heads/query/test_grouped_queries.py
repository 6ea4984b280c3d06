# SPDX-License-Identifier: Apache-2.0
"""Groups of queries, each for moments of other lengths."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from vtg.engine import load_config
from vtg.models.heads import GroupedQueries, LearnedQueries
from vtg.models.task_modules import HungarianMatcher, MatchInputs
from vtg.registry import MODELS
from vtg.utils import ConfigError

CONFIGS = Path(__file__).resolve().parents[4] / 'configs' / 'la_detr'
LENGTHS = (4.0, 10.0, 100.0)


@pytest.fixture
def queries(toy):
    source = dict(type='LearnedQueries', dim=toy.dim, num_queries=3, content_std=0.1)
    return GroupedQueries(source, LENGTHS)


def test_groups_share_references_and_have_a_content_of_their_own(toy, queries):
    found = queries(toy.state())
    assert isinstance(queries.source, LearnedQueries)
    for group, slot in itertools.product(range(3), range(3)):
        index = 3 * group + slot
        expected = queries.source.reference_logits[slot].sigmoid()
        torch.testing.assert_close(found.reference[1, index], expected)
        content = queries.source.content[slot] + queries.content[group]
        torch.testing.assert_close(found.content[1, index], content)
    assert found.mask.shape == (3, 9) and found.mask.all()


@pytest.mark.parametrize(
    ('bounds', 'seconds', 'expected'),
    [
        ((13.8, 32.0, 55.0, 150), (2, 13.8, 13.81, 32.0, 34.0, 150), [0, 0, 1, 1, 2, 3]),
        ((5.67, 14, 10000), (2, 5.67, 5.68, 14, 16, 10000), [0, 0, 1, 1, 2, 2]),
        ((4.0, 10.0), (4.0, 11.0, 12.0), [0, 1, 1]),
    ],
)
def test_a_length_on_a_bound_belongs_to_the_shorter_class(toy, bounds, seconds, expected):
    source = dict(type='LearnedQueries', dim=toy.dim, num_queries=1)
    duration = 7.0 * max(seconds) / 3
    moments = [[(0, second)] for second in seconds]
    state = toy.state(clips=(12,) * len(seconds), words=(3,) * len(seconds))
    targets = state.targets
    spans = torch.tensor([[[0.5, second / duration]] for second in seconds])
    values = dict(spans=spans, duration=torch.full((len(moments),), duration))
    found = GroupedQueries(source, bounds).classes(replace(targets, **values))
    assert found.squeeze(1).tolist() == expected


def test_moments_are_matched_with_queries_of_their_class_only():
    """The cheapest of all admissible assignments, each group on its own."""
    torch.manual_seed(0)
    matcher = HungarianMatcher(dict(span=dict(type='L1SpanCost', weight=10.0)))
    spans, gts = torch.rand(2, 4, 6, 2), torch.rand(4, 3, 2)
    gt_mask = torch.tensor([[1, 1, 1], [1, 1, 0], [0, 0, 0], [1, 1, 1]]).bool()
    classes = torch.tensor([[0, 1, 1], [1, 1, 0], [0, 0, 0], [0, 0, 0]])
    pairs = classes.unsqueeze(-1) == torch.arange(6) // 2
    found = matcher(MatchInputs(spans=spans, pairs=pairs), gts, gt_mask)
    for layer, row in itertools.product(range(2), range(4)):
        cost = 10 * (gts[row, :, None] - spans[layer, row]).abs().sum(-1).numpy()
        expected = np.full(3, -1)
        for group in range(3):
            members = [g for g in range(3) if gt_mask[row, g] and classes[row, g] == group]
            slots = [2 * group, 2 * group + 1]
            if len(members) > 2:  # one of them is left over
                assert sorted(found[layer, row].tolist()) == [-1, 0, 1]
                expected = found[layer, row].numpy()
            elif members:
                ways = itertools.permutations(slots, len(members))
                best = min(ways, key=lambda way: sum(cost[g, q] for g, q in zip(members, way)))
                expected[members] = best
        assert found[layer, row].tolist() == expected.tolist()


def test_lengths_that_do_not_rise_are_refused(toy):
    source = dict(type='LearnedQueries', dim=toy.dim)
    with pytest.raises(ConfigError, match='lengths must rise from class to class'):
        GroupedQueries(source, (10.0, 4.0))


@pytest.mark.parametrize('name', ['qvhl', 'qvhl_tr_detr', 'qvhl_uvcom', 'qvhl_sgdetr'])
def test_every_query_system_learns_in_groups(toy, name):
    cfg = load_config(CONFIGS / f'{name}.py').model
    cfg.defaults.update(dim=16, num_heads=2, hidden_dim=16)
    cfg.video_projector.in_dim, cfg.text_projector.in_dim = 10, 8
    model = MODELS.build(cfg)
    head = model.slots['moment_head']
    head = getattr(head, 'query_head', head)
    torch.manual_seed(0)
    arguments = model.data_preprocessor(toy.batch(), True)
    losses = model(**arguments, mode='loss')
    sum(value for key, value in losses.items() if 'loss' in key).backward()
    assert head.queries.content.grad.abs().sum() > 0
