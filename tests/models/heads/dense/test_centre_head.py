# SPDX-License-Identifier: Apache-2.0
"""The head that looks for the clip in the middle of a moment."""

import math

import pytest
import torch

from vtg.models.heads.dense.centre_head import CentreOutputs, centre_targets
from vtg.registry import MODELS
from vtg.structures import GroundingTargets, xx_to_cxw


def targets_of(windows, clips, size):
    """Targets of windows in clips."""
    count = max(map(len, windows))
    padded = torch.tensor([[*w, *[(0, 1)] * (count - len(w))] for w in windows]).float()
    mask = torch.tensor([[True] * len(w) + [False] * (count - len(w)) for w in windows])
    clips = torch.tensor(clips)
    zeros = torch.zeros(len(windows), size)
    return GroundingTargets(
        spans=xx_to_cxw(padded) / clips[:, None, None], span_mask=mask, saliency=zeros,
        relevant=zeros.bool(), pos_clips=zeros[:, :1].long(), neg_clips=zeros[:, :1].long(),
        source_id=torch.arange(len(windows)), duration=2.0 * clips, num_clips=clips,
    )  # fmt: skip


def by_hand(windows, clips, size):
    """The rules of the targets one after the other."""
    heat, window, offset = torch.zeros(size), torch.zeros(size), torch.zeros(size)
    for start, end in windows:
        centre, width = min((start + end - 1) / 2, clips - 0.5), end - 1 - start
        middle, radius = int(centre), int(0.2 * width + 1e-6)
        for k in range(-radius, radius + 1):
            if 0 <= middle + k < size:
                value = math.exp(-(k**2) / (2 * (0.2 * (radius + 1)) ** 2))
                heat[middle + k] = max(heat[middle + k], value)
        window[middle], offset[middle] = width, centre - middle
    return heat, window, offset


def test_targets_of_many_windows():
    windows, clips = [[(2, 8), (4, 6), (9, 20)], [(0, 1)], [(10, 16), (3, 12)]], [20, 9, 13]
    found = centre_targets(targets_of(windows, clips, 20), torch.full((3,), 2.0),
                           torch.tensor(clips), 20)  # fmt: skip
    for row, (pairs, count) in enumerate(zip(windows, clips)):
        heat, window, offset = by_hand(pairs, count, 20)
        torch.testing.assert_close(found.heat[row], heat, atol=1e-5, rtol=0)
        torch.testing.assert_close(found.window[row], window, atol=1e-5, rtol=0)
        torch.testing.assert_close(found.offset[row], offset, atol=1e-5, rtol=0)
    # Two of the first sample share their middle; both count.
    assert found.middle.sum(dim=1).tolist() == [2, 1, 2] and found.count == 6


@pytest.mark.parametrize('unit', [2.0, 1 / 6])
def test_windows_of_whole_clips_are_no_matter_of_rounding(unit):
    windows = [[(start, start + length)] for start in range(40) for length in range(1, 36)]
    clips = [75] * len(windows)
    targets = targets_of(windows, clips, 75)
    found = centre_targets(targets, torch.full((len(windows),), 2.0), torch.tensor(clips), 75)
    wanted = torch.stack([by_hand(pairs, 75, 75)[0] for pairs in windows])
    torch.testing.assert_close(found.heat, wanted, atol=1e-4, rtol=0)


def test_losses_without_a_moment_are_finite(toy):
    head = MODELS.build(dict(type='CentreHead', dim=16))
    state = toy.state(moments=[[], [], []])
    losses = head.loss(state.update(**head(state)))
    assert losses['loss_centre_width'] == losses['loss_centre_offset'] == 0
    assert losses['loss_centre_label'].isfinite()


def test_perfect_predictions_give_back_the_moments(toy):
    head = MODELS.build(dict(type='CentreHead', dim=16)).eval()
    state = toy.state(clips=(12, 9), words=(3, 2), moments=[[(2, 8)], [(0, 3)]])
    state = state.update(**head(state))
    wanted = centre_targets(state.targets, torch.full((2,), 2.0), torch.tensor((12, 9)), 12)
    outputs = CentreOutputs(wanted.heat.logit(1e-6), wanted.window, wanted.offset,
                            torch.full((2,), 2.0))  # fmt: skip
    perfect = state.update(
        moment_outputs={'centres': outputs}, span_scores=wanted.heat * state.video_mask
    )
    spans = head.predict(perfect)['centres'].spans[:, 0]
    torch.testing.assert_close(spans, torch.tensor([[4.0, 16.0], [0.0, 6.0]]))


def test_padding_does_not_matter(toy):
    head = MODELS.build(dict(type='CentreHead', dim=16)).eval()
    state = toy.state()
    first, second = (s.update(**head(s)) for s in (state, toy.scrambled(state)))
    torch.testing.assert_close(first.span_scores, second.span_scores)
    for name, value in head.loss(first).items():
        torch.testing.assert_close(head.loss(second)[name], value)
