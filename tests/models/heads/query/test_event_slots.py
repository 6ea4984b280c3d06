# SPDX-License-Identifier: Apache-2.0
"""Queries that are events of the video, and what they learn from."""

import pytest
import torch
from scipy.optimize import linear_sum_assignment

from vtg.models.heads import EventSlots
from vtg.registry import MODELS
from vtg.structures import cxw_to_xx, generalized_iou_aligned
from vtg.utils import ConfigError


def make(toy, shaken, **options):
    cfg = {**EventSlots.parts, 'type': 'EventSlots', 'dim': toy.dim, 'num_queries': 4, **options}
    return shaken(MODELS.build(cfg), 0.3)


def test_losses_against_matched_pairs(toy, shaken):
    source = make(toy, shaken)
    state = toy.state()
    proposals = source(state)
    losses = source.loss(proposals, state)
    events, real = source.events(state.video_features, state.video_mask)
    distance, overlap = [], []
    for b in range(len(events)):
        wanted = events[b][real[b]]
        pairs = [(q, e) for q in range(4) for e in range(len(wanted))]
        spans = proposals.events[b]
        giou = {
            (q, e): generalized_iou_aligned(cxw_to_xx(spans[q]), cxw_to_xx(wanted[e]), 1e-6)
            for q, e in pairs
        }
        far = {(q, e): (spans[q] - wanted[e]).abs() for q, e in pairs}
        cost = torch.tensor(
            [[float(10 * far[q, e].sum() - giou[q, e]) for e in range(len(wanted))]
             for q in range(4)]
        )  # fmt: skip
        for pair in zip(*linear_sum_assignment(cost.numpy())):
            distance += [*far[pair]]
            overlap.append(1 - giou[pair])
    assert len(overlap) > 3
    expected = {
        'loss_event_span': 30 * torch.stack(distance).mean(),
        'loss_event_giou': 3 * torch.stack(overlap).mean(),
    }
    assert losses.keys() == expected.keys()
    for name, value in expected.items():
        assert losses[name].item() == pytest.approx(value.item(), rel=1e-5)
    sum(losses.values()).backward()
    assert source.slots.grad.abs().sum() > 0 and source.event_norm.weight.grad.abs().sum() > 0


def test_padding_and_neighbours_do_not_count(toy, shaken):
    source = make(toy, shaken).eval()

    def run(state):
        proposals = source(state)
        return {
            name: (getattr(proposals, name), None) for name in ('content', 'reference', 'events')
        }

    toy.assert_padding_free(run, toy.state())


def test_slots_see_no_text(toy, shaken):
    source, state = make(toy, shaken).eval(), toy.state()
    other = state.update(text=state.text + 1, projected_text=state.projected_text + 1)
    assert torch.equal(source(state).content, source(other).content)


def test_a_loss_on_logits_is_refused(toy):
    losses = dict(label=dict(type='SigmoidClassLoss'))
    with pytest.raises(ConfigError, match='compares logits, and there are none here'):
        make(toy, lambda module, scale: module, losses=losses)


def test_without_losses_nothing_is_matched(toy, shaken):
    source, state = make(toy, shaken, losses=dict(span=None)), toy.state()
    assert source.loss(source(state), state) == {}
