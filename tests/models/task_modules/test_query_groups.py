# SPDX-License-Identifier: Apache-2.0
"""Masks of extra queries and the choice of collab anchors."""

import numpy as np
import torch

from vtg.models.task_modules import query_group_mask, select_collab_anchors


def table(mask):
    return [''.join('.x'[int(cell)] for cell in row) for row in mask]


def test_masks_by_hand() -> None:
    group = torch.tensor([0, 0, 1])
    assert table(query_group_mask(2, 1, group)) == [
        '..xxxx',
        '..xxxx',
        'xx.xxx',
        'xxx.xx',
        'xxxx..',
        'xxxx..',
    ]
    assert not query_group_mask(3).any()


def test_mask_of_the_official_model(shared) -> None:
    golden = np.load(shared / 'golden/sgdetr.npz')
    for prefix, collab in (('', 16), ('nopad/', 12)):
        blocked = torch.from_numpy(golden[f'{prefix}out/attn_mask'])
        assert torch.equal(query_group_mask(25, collab), blocked)


def test_collab_anchors_by_hand() -> None:
    positive = torch.tensor([[0, 1, 0, 1, 0, 0], [0, 0, 1, 0, 0, 0], [1, 0, 0, 0, 0, 0]]).bool()
    anchor_mask = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0], [1, 1, 0, 0, 0, 0]]).bool()
    order = torch.tensor([0.9, 0.5, 0.3, 0.4, 0.1, 0.2]).expand(3, -1)
    index, used = select_collab_anchors(positive, anchor_mask, 4, order)
    assert index[0].tolist() == [1, 3, 4, 5]
    assert index[1].tolist() == [2, 3, 1, 0]  # anchors 4 and 5 are padding
    assert index[2, :2].tolist() == [0, 1]
    assert used.tolist() == [[True] * 4, [True] * 4, [True, True, False, False]]


def test_collab_anchors_of_the_official_model(shared) -> None:
    golden = np.load(shared / 'golden/sgdetr.npz')
    positive = torch.from_numpy(golden['nopad/out/atss/labels']) > 0
    negatives = torch.from_numpy(golden['nopad/in/co_neg_idx'])
    order = torch.ones(positive.shape)
    for sample, chosen in enumerate(negatives):
        chosen = chosen[chosen >= 0]
        order[sample, chosen] = torch.arange(len(chosen)) / 100
    count = int(positive.sum(1).max())
    index, used = select_collab_anchors(positive, torch.ones_like(positive), count, order)
    assert used.all()
    labels = golden['nopad/dn/out/co/labels']
    assert np.array_equal(positive.gather(1, index).numpy(), labels > 0)
    for sample, chosen in enumerate(negatives):
        chosen = chosen[chosen >= 0].tolist()
        assert index[sample, count - len(chosen) :].tolist() == chosen


def test_collab_negatives_are_drawn_at_random() -> None:
    positive = torch.zeros(1, 50, dtype=torch.bool)
    first, second = (select_collab_anchors(positive, ~positive, 10)[0] for _ in range(2))
    assert not torch.equal(first, second)
    assert len(set(first[0].tolist())) == 10
