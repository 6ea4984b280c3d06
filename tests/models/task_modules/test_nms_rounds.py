# SPDX-License-Identifier: Apache-2.0
"""Suppression round by round against plain loops with all overlaps in one table."""

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from vtg.models.task_modules import nms
from vtg.models.task_modules.nms import DECAYS, soft_nms, temporal_nms
from vtg.structures import MomentList, iou_pairwise


def drawn(seed: int, batch: int = 3, size: int = 40, grid: int = 12) -> MomentList:
    """Moments on a coarse grid: many equal scores, equal spans, overlaps on the threshold."""
    rng = np.random.default_rng(seed)
    start, width = rng.integers(0, grid, (2, batch, size))
    spans = torch.from_numpy(np.stack((start, start + width), -1)).float()
    scores = torch.from_numpy(rng.integers(0, 9, (batch, size)) / 8).float()
    scores[rng.random((batch, size)) < 0.05] = torch.nan
    lengths = torch.from_numpy(rng.integers(0, size + 1, batch))
    return MomentList(spans, scores, torch.arange(size) < lengths[:, None])


def real(moments: MomentList, index: int) -> tuple[torch.Tensor, torch.Tensor]:
    mask = moments.mask[index]
    return moments.spans[index, mask], moments.scores[index, mask]


def hard_loop(spans, scores, threshold, most):
    overlap = iou_pairwise(spans, spans).nan_to_num(0.0)
    kept: list[int] = []
    order = sorted(
        range(len(scores)), key=lambda i: -torch.nan_to_num(scores[i], nan=-torch.inf).item()
    )
    for i in order:
        if all(overlap[i, j] <= threshold for j in kept):
            kept.append(i)
    return kept[:most]


def soft_loop(spans, scores, decay, threshold, rounds):
    factor = DECAYS[decay](iou_pairwise(spans, spans).nan_to_num(0.0), threshold, 0.5)
    scores, waiting = scores.clone(), [i for i in range(len(scores)) if not scores[i].isnan()]
    for _ in range(len(scores) if rounds is None else rounds):
        if waiting:
            best = max(waiting, key=lambda i: (scores[i].item(), -i))
            waiting.remove(best)
            for i in waiting:
                scores[i] = scores[i] * factor[best, i]
    order = sorted(
        range(len(scores)), key=lambda i: -torch.nan_to_num(scores[i], nan=-torch.inf).item()
    )
    return order[:rounds], scores


@pytest.fixture(params=['table', 'rows'])
def layout(request, monkeypatch):
    """With all overlaps at once, as for few moments, and row by row, as for many."""
    monkeypatch.setattr(nms, '_TABLE', 10**9 if request.param == 'table' else 0)


@pytest.mark.usefixtures('layout')
@pytest.mark.parametrize('most', [None, 0, 1, 5, 100])
@pytest.mark.parametrize('threshold', [0.0, 0.5, 0.75, 1.0])
def test_hard_equals_a_loop(threshold, most):
    for seed in range(4):
        moments = drawn(seed)
        found = temporal_nms(moments, threshold, max_after=most)
        assert found.scores.shape[1] == (40 if most is None else min(most, 40))
        for index in range(3):
            spans, scores = real(moments, index)
            kept = hard_loop(spans, scores, threshold, most)
            ours = real(found, index)
            torch.testing.assert_close(ours[0], spans[kept], rtol=0, atol=0)
            torch.testing.assert_close(ours[1], scores[kept], rtol=0, atol=0, equal_nan=True)


@pytest.mark.usefixtures('layout')
@pytest.mark.parametrize('most', [1, 3, 8, 100])
def test_ties_with_the_last_one_stay(most):
    longer = False
    for seed in range(6):
        moments = drawn(seed)
        moments.scores.nan_to_num_(nan=0.0)
        found = temporal_nms(moments, 0.5, max_after=most, ties=True)
        for index in range(3):
            spans, scores = real(moments, index)
            kept = hard_loop(spans, scores, 0.5, None)
            kept = [i for i in kept if scores[i] >= scores[kept[:most][-1]]]
            longer |= len(kept) > most
            torch.testing.assert_close(real(found, index)[0], spans[kept], rtol=0, atol=0)
    assert longer == (most < 100)


@pytest.mark.usefixtures('layout')
@pytest.mark.parametrize('most', [None, 1, 6])
@pytest.mark.parametrize('decay', DECAYS)
def test_soft_equals_a_loop(decay, most):
    for seed in range(3):
        moments = drawn(seed, size=20)
        found = soft_nms(moments, decay, 0.5, max_after=most)
        for index in range(3):
            spans, scores = real(moments, index)
            order, changed = soft_loop(spans, scores, decay, 0.5, most)
            ours = real(found, index)
            torch.testing.assert_close(ours[0], spans[order], rtol=0, atol=0)
            torch.testing.assert_close(ours[1], changed[order], rtol=0, atol=0, equal_nan=True)


class Largest(TorchDispatchMode):
    """The largest tensor that an operation returns, and how many operations run."""

    size = count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        self.count += 1
        sizes = [x.untyped_storage().nbytes() for x in tree_leaves(result) if torch.is_tensor(x)]
        self.size = max([self.size, *sizes])
        return result


@pytest.mark.parametrize(
    'suppress',
    [
        lambda moments: temporal_nms(moments, 0.7, max_after=10),
        lambda moments: soft_nms(moments, 'linear', max_after=10),
        lambda moments: soft_nms(moments, 'gaussian', max_after=10),
    ],
)
def test_many_moments_need_memory_linear_in_their_number(suppress):
    figures = []
    for size in (700, 7000):
        start = torch.rand(4, size) * 3600
        spans = torch.stack((start, start + torch.rand(4, size) * 100), -1)
        moments = MomentList(spans, torch.rand(4, size), torch.ones(4, size).bool())
        with Largest() as seen:
            suppress(moments)
        figures.append(seen)
    assert figures[1].size <= 11 * figures[0].size < 700 * 700 * 4
    assert figures[1].count == figures[0].count <= 450
