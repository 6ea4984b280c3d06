# SPDX-License-Identifier: Apache-2.0
"""Spans and their overlaps."""

import pytest
import torch

from vtg.structures import (
    cxw_to_xx,
    generalized_iou_aligned,
    generalized_iou_pairwise,
    iou_aligned,
    iou_pairwise,
    xx_to_cxw,
)


def naive(a, b):
    """IoU and gIoU of two (start, end) by their definitions."""
    overlap = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    union = (a[1] - a[0]) + (b[1] - b[0]) - overlap
    hull = max(a[1], b[1]) - min(a[0], b[0])
    return overlap / union, overlap / union - (hull - union) / hull


def random_spans(*shape):
    return torch.rand(*shape, 2).sort(dim=-1).values + torch.tensor([0.0, 0.05])


def test_conversion_by_hand_and_back():
    ends = torch.tensor([[[2.0, 6.0]], [[0.0, 1.0]]])
    spans = xx_to_cxw(ends)
    assert spans.tolist() == [[[4.0, 4.0]], [[0.5, 1.0]]]
    assert torch.equal(cxw_to_xx(spans), ends)


@pytest.mark.parametrize(
    ('a', 'b', 'iou', 'giou'),
    [
        ((0.0, 4.0), (2.0, 6.0), 2 / 6, 2 / 6),
        ((0.0, 1.0), (3.0, 4.0), 0.0, -0.5),  # a gap of 2 in a hull of 4
        ((0.0, 4.0), (1.0, 2.0), 0.25, 0.25),
        ((1.0, 2.0), (1.0, 2.0), 1.0, 1.0),
        ((0.0, 1.0), (1.0, 2.0), 0.0, 0.0),  # touching
    ],
)
def test_overlaps_by_hand(a, b, iou, giou):
    a, b = torch.tensor(a), torch.tensor(b)
    for first, second in ((a, b), (b, a)):
        assert iou_aligned(first, second).item() == pytest.approx(iou)
        assert generalized_iou_aligned(first, second).item() == pytest.approx(giou)


def test_pairs_against_loops():
    a, b = random_spans(2, 3), random_spans(2, 4)
    iou, giou = iou_pairwise(a, b), generalized_iou_pairwise(a, b)
    assert iou.shape == giou.shape == (2, 3, 4)
    for batch in range(2):
        for i in range(3):
            for j in range(4):
                pair = naive(a[batch, i].tolist(), b[batch, j].tolist())
                got = (iou[batch, i, j].item(), giou[batch, i, j].item())
                assert got == pytest.approx(pair, abs=1e-6)


def test_aligned_spans_broadcast():
    a, b = random_spans(5, 3), random_spans(3)
    assert torch.equal(iou_aligned(a, b), iou_aligned(a, b.expand(5, 3, 2)))


def test_spans_without_length():
    point, other = torch.tensor([1.0, 1.0]), torch.tensor([2.0, 2.0])
    assert iou_aligned(point, point).isnan()
    assert iou_aligned(point, point, 1e-6).item() == 0
    assert generalized_iou_aligned(point, point, 1e-6).item() == 0
    assert generalized_iou_aligned(point, other, 1e-6).item() == pytest.approx(-1, abs=1e-5)


def test_gradients_are_finite():
    a = random_spans(6).requires_grad_()
    (1 - generalized_iou_aligned(a, random_spans(6), 1e-7)).sum().backward()
    assert a.grad.isfinite().all() and (a.grad.abs().sum(-1) > 0).all()
