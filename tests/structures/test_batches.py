# SPDX-License-Identifier: Apache-2.0
from dataclasses import dataclass, field

import torch
from torch import Tensor

from vtg.structures import SHARED, chosen, joined, separated, spread


@dataclass(frozen=True)
class Holder:
    rows: Tensor
    deep: dict
    common: Tensor = field(metadata=SHARED)
    number: int = 3


def holder(start: int, size: int) -> Holder:
    rows = torch.arange(start, start + size)
    return Holder(rows, {'pair': (rows * 2.0, [rows[:, None]])}, torch.arange(2))


def flat(value: Holder) -> list[list]:
    pair = value.deep['pair']
    return [x.tolist() for x in (value.rows, pair[0], pair[1][0], value.common)]


def test_joined_and_separated_are_inverse():
    first, second = holder(0, 2), holder(5, 3)
    both = joined(first, second)
    assert both.rows.tolist() == [0, 1, 5, 6, 7] and both.common.tolist() == [0, 1]
    front, back = separated(both, 2)
    assert flat(front) == flat(first) and flat(back) == flat(second)
    assert isinstance(both.deep['pair'], tuple) and both.number == 3


def test_some_samples_and_back_to_their_places():
    rows = torch.tensor([3, 1])
    some = chosen(holder(0, 4), rows)
    assert some.rows.tolist() == [3, 1] and some.deep['pair'][1][0].tolist() == [[3], [1]]
    back = spread(some, rows, 4)
    assert back.rows.tolist() == [0, 1, 0, 3] and back.deep['pair'][0].tolist() == [0, 2, 0, 6]
