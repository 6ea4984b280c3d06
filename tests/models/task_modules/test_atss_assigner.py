# SPDX-License-Identifier: Apache-2.0
"""Adaptive assignment of anchors."""

import numpy as np
import pytest
import torch

from vtg.models.task_modules import AnchorGenerator1D, ATSSAssigner, centerness_target
from vtg.structures import cxw_to_xx


def assign_parts_case(golden, case, dtype, width):
    """Run one stored case, padded to ``width`` moments."""
    get = lambda name: torch.from_numpy(golden[f'in/atss/{case}/{name}'])  # noqa: E731
    gts = get('gts').to(dtype)
    padded = torch.full((1, width, 2), float('nan'), dtype=dtype)
    padded[0, : len(gts)] = gts
    mask = (torch.arange(width) < len(gts))[None]
    assigner = ATSSAssigner(topk=9, inside_eps=0.01, threshold_eps=1e-6)
    sizes = get('level_sizes').tolist()
    return assigner(get('anchors').to(dtype), sizes, get('valid')[None], padded, mask), gts


@pytest.mark.parametrize('dtype', [torch.float64, torch.float32])
@pytest.mark.parametrize('case', ['0', '1', '2', '3'])
def test_reference_cases(shared, case, dtype) -> None:
    golden = np.load(shared / 'golden/sgdetr_parts.npz')
    result, gts = assign_parts_case(golden, case, dtype, width=6)
    expected = torch.from_numpy(golden[f'out/atss/{case}/assigned'])
    assigned = torch.where(result.positive, result.gt_index + 1, 0)[0]
    assert torch.equal(assigned, expected)

    positive = result.positive[0]
    tolerance = 1e-9 if dtype == torch.float64 else 1e-6
    overlap = torch.from_numpy(golden[f'out/atss/{case}/overlap'])[positive]
    assert torch.allclose(result.iou[0, positive].double(), overlap, rtol=0, atol=tolerance)
    assert not result.iou[0, ~positive].any() and not result.gt_index[0, ~positive].any()

    anchors = torch.from_numpy(golden[f'in/atss/{case}/anchors']).to(dtype)
    target = centerness_target(anchors, gts[result.gt_index[0]], sqrt=True)
    stored = torch.from_numpy(golden[f'out/atss/{case}/centerness'])
    assert torch.allclose(target[positive].double(), stored[positive], rtol=0, atol=tolerance)


@pytest.mark.parametrize('prefix', ['', 'nopad/'])
def test_assignment_of_the_official_model(shared, prefix) -> None:
    golden = np.load(shared / 'golden/sgdetr.npz')
    get = lambda name: torch.from_numpy(golden[prefix + name])  # noqa: E731
    mask = get('in/spans')[..., 1] > 0
    gts = get('out/atss/gt_clip_units')
    sizes = [40, 20, 10, 5]
    anchors = torch.cat(AnchorGenerator1D()(sizes))
    # The official code lets padded anchors take part.
    everywhere = torch.ones(len(gts), len(anchors), dtype=torch.bool)
    result = ATSSAssigner(topk=12)(anchors, sizes, everywhere, gts, mask)
    assert torch.equal(result.positive.long(), get('out/atss/labels'))
    matched = gts.gather(1, result.gt_index[..., None].expand(-1, -1, 2))
    assert torch.equal(matched[result.positive], get('out/atss/matched_gt')[result.positive])


@pytest.mark.parametrize('topk', [12, 18])
@pytest.mark.parametrize('dtype', [torch.float64, torch.float32])
def test_assignment_at_real_size(shared, topk, dtype) -> None:
    golden = np.load(shared / 'golden/sgdetr.npz')
    spans = torch.from_numpy(golden['atss_long/in/spans'])
    mask = spans[..., 1] > 0
    gts = ((cxw_to_xx(spans) * 152).trunc() / 2).to(dtype)
    sizes = [152, 76, 38, 19]
    anchors = torch.cat(AnchorGenerator1D()(sizes, dtype=dtype))
    everywhere = torch.ones(len(gts), len(anchors), dtype=torch.bool)
    result = ATSSAssigner(topk=topk)(anchors, sizes, everywhere, gts, mask)
    labels = torch.from_numpy(golden[f'atss_long/out/top{topk}/labels'])
    assert torch.equal(result.positive.long(), labels)
    matched = gts.gather(1, result.gt_index[..., None].expand(-1, -1, 2)).float()
    expected = torch.from_numpy(golden[f'atss_long/out/top{topk}/matched_gt'])
    assert torch.equal(matched[result.positive], expected[result.positive])


def test_padding_and_neighbours_do_not_matter() -> None:
    generator = AnchorGenerator1D()
    assigner = ATSSAssigner(topk=5)
    lengths = [4, 20, 12]
    gts = torch.rand(3, 4, 2).sort(-1).values * torch.tensor(lengths)[:, None, None]
    gt_mask = torch.tensor([[1, 0, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]]).bool()
    sizes = [40, 20, 10, 5]
    masks = [torch.arange(size) < torch.tensor(lengths)[:, None] * size / 20 for size in sizes]
    batch = assigner(torch.cat(generator(sizes)), sizes, torch.cat(masks, 1), gts, gt_mask)
    assert not batch.positive[2].any()
    assert batch.positive[:2].any(1).all()
    for index, length in enumerate(lengths):
        own = [2 * length, length, length // 2, length // 4]
        real = gts[index : index + 1, gt_mask[index]]
        anchors = torch.cat(generator(own))
        alone = assigner(
            anchors,
            own,
            torch.ones(1, len(anchors), dtype=torch.bool),
            real,
            torch.ones(real.shape[:2], dtype=torch.bool),
        )
        inside = torch.cat([mask[index] for mask in masks])
        assert not batch.positive[index, ~inside].any()
        for name in ('positive', 'gt_index', 'iou'):
            assert torch.equal(getattr(batch, name)[index, inside], getattr(alone, name)[0]), name


def test_by_hand() -> None:
    # Width-2 anchors at 0.5, 1.5, ... and the moment [2, 4]: the centres 2.5 and 3.5 overlap
    # 1.5 / 2.5 = 0.6, 1.5 and 4.5 overlap 0.5 / 3.5 = 1/7. The mean plus deviation of the four
    # is 0.371 + 0.264 = 0.636, of the three nearest (1.5 before 4.5) 0.448 + 0.264 = 0.711.
    anchors = torch.cat(AnchorGenerator1D((1,), (2,), width_offset=0)([6]))
    gts = torch.tensor([[[2.0, 4.0]]])
    everything = torch.ones(1, 6, dtype=torch.bool), gts, torch.ones(1, 1, dtype=torch.bool)
    assert not ATSSAssigner(topk=3)(anchors, [6], *everything).positive.any()
    two = ATSSAssigner(topk=2)(anchors, [6], *everything)  # 0.6 twice: the deviation is 0
    assert two.positive[0].nonzero().flatten().tolist() == [2, 3]
    one = ATSSAssigner(topk=1)(anchors, [6], *everything)  # a single candidate, the first of two
    assert one.positive[0].nonzero().flatten().tolist() == [2]
    assert one.iou[0, 2].item() == pytest.approx(0.6)


def test_conflict_takes_the_highest_overlap_first_on_ties() -> None:
    anchors = torch.tensor([[2.0, 6.0]])
    gts = torch.tensor([[[1.0, 7.0], [3.0, 6.0], [2.0, 5.0], [0.0, 9.0]]])
    result = ATSSAssigner(topk=1)(
        anchors, [1], torch.ones(1, 1).bool(), gts, torch.ones(1, 4).bool()
    )
    assert result.gt_index.item() == 1  # 3/4 twice; 4/6 and 4/9 are lower
    assert result.iou.item() == pytest.approx(0.75)


def test_no_moments_at_all() -> None:
    anchors = torch.cat(AnchorGenerator1D()([8, 4, 2, 1]))
    valid = torch.ones(2, 15, dtype=torch.bool)
    for width in (0, 2):
        empty = torch.zeros(2, width, 2), torch.zeros(2, width, dtype=torch.bool)
        result = ATSSAssigner()(anchors, [8, 4, 2, 1], valid, *empty)
        assert not result.positive.any() and result.gt_index.shape == (2, 15)
        assert result.positive.dtype == torch.bool and result.iou.dtype == torch.float32


def test_centerness_by_hand() -> None:
    anchors = torch.tensor([[2.0, 4.0], [0.0, 2.0], [9.0, 11.0], [3.0, 3.0]])
    gts = torch.tensor([[0.0, 4.0], [0.0, 2.0], [0.0, 5.0], [3.0, 3.0]])
    expected = torch.tensor([1 / 3, 1.0, 0.0, 0.0])
    assert torch.allclose(centerness_target(anchors, gts), expected)
    assert torch.allclose(centerness_target(anchors, gts, sqrt=True), expected.sqrt())
