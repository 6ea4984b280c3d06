# SPDX-License-Identifier: Apache-2.0
"""Denoising queries."""

import numpy as np
import pytest
import torch

from vtg.models.task_modules import DenoisingGenerator, query_group_mask
from vtg.registry import TASK_UTILS


def unpack_noise(values, counts, groups, size):
    """Rows per group: all moments of the batch as positives, then as negatives -> one tensor."""
    noise = torch.zeros(len(counts), groups, 2, size, 2)
    rows = iter(torch.from_numpy(values))
    for group in range(groups):
        for kind in range(2):
            for sample, count in enumerate(counts):
                for moment in range(count):
                    noise[sample, group, kind, moment] = next(rows)
    return noise


@pytest.mark.parametrize('prefix', ['dn/', 'nopad/dn/'])
def test_queries_of_the_official_model(shared, prefix) -> None:
    golden = np.load(shared / 'golden/sgdetr.npz')
    gts = torch.from_numpy(golden[f'{prefix[:-3]}in/spans'])
    mask = gts[..., 1] > 0
    counts, size = mask.sum(1).tolist(), mask.shape[1]
    generator = DenoisingGenerator(num_queries=12, noise_scale=0.5, negative_offset=1.25)
    groups = generator.num_groups(size)
    sign, part = (
        unpack_noise(golden[f'{prefix}in/dn_{name}'], counts, groups, size)
        for name in ('sign', 'part')
    )
    queries = generator(gts, mask, noise=(sign, part))
    used = groups * 2 * size
    assert queries.references.shape == (len(gts), used, 2)
    expected = torch.from_numpy(golden[f'{prefix}out/extra_ref_logits'])[:, :used]
    assert torch.allclose(queries.references, expected, atol=2e-4)
    content = torch.from_numpy(golden[f'{prefix}out/extra_content'])[:, :used]
    assert torch.equal(queries.valid, content.abs().sum(-1) > 0)

    blocked = torch.from_numpy(golden[f'{prefix}out/attn_mask'])
    collab = golden[f'{prefix}out/extra_ref_logits'].shape[1] - used
    own = query_group_mask(len(blocked) - used - collab, collab, queries.group)
    assert torch.equal(own, blocked)


def test_by_hand() -> None:
    generator = TASK_UTILS.build({'type': 'DenoisingGenerator', 'num_queries': 8})
    gts = torch.tensor([[[0.5, 0.4], [0.2, 0.2]], [[0.9, 0.2], [7.0, 7.0]]])
    mask = torch.tensor([[True, True], [True, False]])
    sign = torch.ones(2, 2, 2, 2, 2)
    sign[..., 0] = -1
    part = torch.full_like(sign, 0.5)
    queries = generator(gts, mask, noise=(sign, part))
    centre, width = queries.references.sigmoid().unbind(-1)
    # Ends move outwards by 0.5 * (width / 2) * 0.5 as positives, 1.75 * (width / 2) * 0.5 as
    # negatives: [0.3, 0.7] becomes [0.25, 0.75] and [0.125, 0.875], and [0.8, 1] stops at 1.
    assert width[0, :4].tolist() == pytest.approx([0.5, 0.25, 0.75, 0.375], rel=1e-4)
    assert centre[0, :4].tolist() == pytest.approx([0.5, 0.2, 0.5, 0.2], rel=1e-4)
    assert centre[1, [0, 2]].tolist() == pytest.approx([0.8875, 0.85625], rel=1e-4)
    assert torch.equal(queries.references[1, [1, 3]], torch.zeros(2, 2))
    assert queries.valid.tolist() == [[True] * 8, [True, False] * 4]
    assert queries.is_positive[0].tolist() == [True, True, False, False] * 2
    assert queries.is_positive[1].tolist() == [True, False, False, False] * 2
    assert queries.gt_index.tolist() == [[0, 1] * 4, [0] * 8]
    assert queries.group.tolist() == [0] * 4 + [1] * 4


def test_crossed_ends_get_the_smallest_width() -> None:
    generator = DenoisingGenerator(num_queries=2)
    sign = torch.ones(1, 1, 2, 1, 2)
    sign[..., 1] = -1
    part = torch.full_like(sign, 0.99)
    gts = torch.tensor([[[0.5, 0.4]]])
    queries = generator(gts, torch.ones(1, 1).bool(), noise=(sign, part))
    assert queries.references[0, 1].tolist() == pytest.approx([0.0, np.log(1e-3)], abs=1e-5)


def test_number_of_groups_and_no_moments() -> None:
    generator = DenoisingGenerator(num_queries=300)
    assert [generator.num_groups(m) for m in (0, 1, 4, 7, 200)] == [0, 150, 37, 21, 1]
    queries = generator(torch.zeros(2, 0, 2), torch.zeros(2, 0).bool())
    assert queries.references.shape == (2, 0, 2) and queries.valid.shape == (2, 0)
    assert queries.group.shape == (0,)


def test_noise_is_drawn_reproducibly_within_its_range() -> None:
    gts = torch.tensor([[0.5, 0.2]]).expand(2, 1, 2)
    mask = torch.ones(2, 1, dtype=torch.bool)
    draw = lambda seed: DenoisingGenerator()(  # noqa: E731
        gts, mask, generator=torch.Generator().manual_seed(seed)
    )
    first, again, other = draw(1), draw(1), draw(2)
    assert torch.equal(first.references, again.references)
    assert not torch.equal(first.references, other.references)
    centre, width = first.references.sigmoid().unbind(-1)
    start, end = centre - width / 2, centre + width / 2
    positive = first.is_positive
    for moved in ((start - 0.4).abs(), (end - 0.6).abs()):
        assert (moved[positive] <= 0.05 + 1e-6).all()
        # Crossed negatives lose their ends to the smallest width.
        clear = ~positive & (width > 2e-3)
        assert (moved[clear] >= 0.0625 - 1e-6).all() and (moved[clear] <= 0.1125 + 1e-6).all()
