# SPDX-License-Identifier: Apache-2.0
"""Features of the clips in which moments start and end."""

import math

import pytest
import torch

from vtg.models.extras import BoundaryFeatures
from vtg.models.necks import BoundaryConvs

MOMENTS = [[(0.2, 0.87)], [], [(0.05, 0.3), (0.5, 0.93)]]


def in_clips(moments):
    return [[(low * n, high * n) for low, high in row] for row, n in zip(moments, (12, 7, 9))]


def wanted(moments, count, size, start):
    found = torch.zeros(size, dtype=torch.bool)
    for low, high in moments:
        low, high = low * count, high * count
        width = high - low
        first, last = (low - 0.25 * width, low + 0.1 * width)
        if not start:
            first, last = (high - 0.1 * width, high + 0.25 * width)
        for k in range(size):
            found[k] |= first <= k + 0.5 <= last
    return found


@pytest.mark.parametrize('length', ['own', 'padded'])
def test_targets_and_loss_by_hand(toy, length):
    state = toy.state(moments=in_clips(MOMENTS))
    neck = BoundaryConvs(toy.dim, weight=0.5, length=length)
    features = neck(state)['boundary_features']
    state = state.update(boundary_features=features)
    targets, total = neck.targets(state), 0.0
    for side, target in enumerate(targets):
        for b, count in enumerate(state.video_mask.sum(dim=1).tolist()):
            scale = count if length == 'own' else 12
            expected = wanted(MOMENTS[b], scale, 12, side == 0)
            if length == 'own':
                expected[count:] = False
            assert torch.equal(target[b], expected)
            values = (features.left, features.right)[side][b].tanh().mean(-1)
            real = count if length == 'own' else 12
            ones = expected[:real].sum().item()
            zeros = real - ones + (0 if length == 'own' else 12 - count)
            for k in range(count):
                p = values[k].item()
                term = -max(math.log(p), -100) / ones if expected[k] else -math.log(1 - p) / zeros
                total += term / 2 / 2 / 3
    loss = neck.loss(state)['loss_boundary']
    assert loss.item() == pytest.approx(0.5 * total, rel=1e-4)


def test_padding_reaches_no_clip(toy):
    state = toy.state(moments=in_clips(MOMENTS))
    neck = BoundaryConvs(toy.dim)
    noisy = state.update(fused=state.fused.masked_fill(~state.video_mask.unsqueeze(-1), 9.0))
    for ours, theirs in zip(
        vars(neck(state)['boundary_features']).values(),
        vars(neck(noisy)['boundary_features']).values(),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs)
        assert ours.min() >= 0 and not ours[~state.video_mask].any()
    published = BoundaryConvs(toy.dim, mask_padding=False)
    found = [published(s)['boundary_features'].left[state.video_mask] for s in (state, noisy)]
    assert not torch.allclose(*found)


def test_no_moments_and_no_activity_are_finite(toy):
    state = toy.state(moments=[[], [], []])
    zero = torch.zeros(3, 12, toy.dim)
    state = state.update(boundary_features=BoundaryFeatures(zero, zero))
    assert BoundaryConvs(toy.dim).loss(state)['loss_boundary'].isfinite()
    state = toy.state(moments=in_clips(MOMENTS)).update(
        boundary_features=BoundaryFeatures(zero, zero)
    )
    assert BoundaryConvs(toy.dim).loss(state)['loss_boundary'].isfinite()
