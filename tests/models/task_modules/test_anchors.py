# SPDX-License-Identifier: Apache-2.0
"""Anchors of the pyramid."""

import numpy as np
import pytest
import torch

from vtg.models.task_modules import AnchorGenerator1D
from vtg.registry import TASK_UTILS
from vtg.utils import ConfigError


def test_base_anchors_of_sgdetr() -> None:
    generator = TASK_UTILS.build({'type': 'AnchorGenerator1D'})
    first = torch.stack([level[0] for level in generator([2, 1, 1, 1])])
    expected = torch.tensor([[-1.25, 1.75], [-7, 8], [-14.5, 16.5], [-29.5, 33.5]])
    assert torch.equal(first, expected)
    assert torch.equal(generator([2, 1, 1, 1])[0][1], expected[0] + 0.5)


def test_values_of_the_official_code(shared) -> None:
    golden = np.load(shared / 'golden/sgdetr.npz')
    levels = AnchorGenerator1D()([40, 20, 10, 5], dtype=torch.float64)
    for index, level in enumerate(levels):
        assert np.array_equal(level.numpy(), golden[f'nopad/out/atss/anchors{index}'])


def test_width_without_offset(shared) -> None:
    golden = np.load(shared / 'golden/sgdetr_parts.npz')
    for case in ('0', '2'):
        sizes = golden[f'in/atss/{case}/level_sizes'].tolist()
        generator = AnchorGenerator1D((1, 2, 4, 8), (4, 8, 16, 32), width_offset=0)
        anchors = torch.cat(generator(sizes, dtype=torch.float64))
        assert np.allclose(anchors.numpy(), golden[f'in/atss/{case}/anchors'])


def test_levels_that_do_not_fit() -> None:
    with pytest.raises(ConfigError, match='4 pyramid levels but got 3'):
        AnchorGenerator1D()([4, 2, 1])
    with pytest.raises(ConfigError, match='one size per pyramid level'):
        AnchorGenerator1D(strides=(1, 2), sizes=(4,))
    with pytest.raises(ConfigError, match='exceed width_offset'):
        AnchorGenerator1D(strides=(1,), sizes=(1,))
