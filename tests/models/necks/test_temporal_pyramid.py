# SPDX-License-Identifier: Apache-2.0
"""The pyramid of strided convolutions on the rectified memory."""

import pytest
import torch

from vtg.models.necks import TemporalPyramid
from vtg.utils import ConfigError


def test_cells_by_hand(toy, shaken):
    neck, state = shaken(TemporalPyramid(toy.dim, (1, 2, 4))), toy.state(clips=(12, 7, 3))
    pyramid = neck(state)['pyramid']
    assert [mask.shape[1] for mask in pyramid.masks] == [12, 6, 3]
    assert pyramid.strides == (1, 2, 4)
    for b, length in enumerate((12, 7, 3)):
        memory = state.memory[b, :length].relu()
        for level, stride in enumerate((1, 2, 4)):
            cells = memory
            for block in neck.levels[level]:
                kernel, bias = block.conv.weight, block.conv.bias
                pairs = zip(cells[0::2], cells[1::2])
                rows = [kernel[:, :, 0] @ x + kernel[:, :, 1] @ y + bias for x, y in pairs]
                cells = block.norm(torch.stack(rows)).relu() if rows else cells[:0]
            count = length // stride
            assert pyramid.masks[level][b].sum() == count
            assert pyramid.masks[level][b, :count].all()
            assert torch.allclose(pyramid.features[level][b, :count], cells, atol=1e-5)
            assert pyramid.features[level][b, count:].abs().sum() == 0


@pytest.mark.parametrize('plain', [False, True])
def test_padding_does_not_matter(toy, shaken, plain):
    neck = shaken(TemporalPyramid(toy.dim, (1, 2, 4, 8), plain=plain))

    def run(state):
        pyramid = neck(state)['pyramid']
        return {
            f'level {i}': (x, mask)
            for i, (x, mask) in enumerate(zip(pyramid.features, pyramid.masks))
        }

    toy.assert_padding_free(run, toy.state(clips=(16, 11, 3)))


def test_released_form_counts_cells_that_reach_beyond_the_end(toy):
    state = toy.state(clips=(10, 7, 5))
    pyramid = TemporalPyramid(toy.dim, (1, 2, 4), mask_padding=False)(state)['pyramid']
    assert [mask.sum(1).tolist() for mask in pyramid.masks] == [[10, 7, 5], [5, 4, 3], [2, 2, 2]]


def test_one_batch_shorter_than_a_stride(toy):
    for mask_padding in (True, False):
        neck = TemporalPyramid(toy.dim, (1, 8), mask_padding)
        pyramid = neck(toy.state(clips=(3, 2, 3)))['pyramid']
        assert pyramid.features[1].shape == (3, 1, toy.dim)
        assert not pyramid.masks[1].any()


def test_memory_stays_as_it_was(toy):
    state = toy.state()
    before = state.memory.clone()
    TemporalPyramid(toy.dim, (1, 2))(state)
    assert torch.equal(state.memory, before)


def test_refuses_other_strides(toy):
    with pytest.raises(ConfigError, match='powers of two'):
        TemporalPyramid(toy.dim, (1, 3))


def test_plain_levels_are_the_memory_and_convolutions_of_it(toy, shaken):
    neck, state = shaken(TemporalPyramid(toy.dim, (1, 2, 4), plain=True)), toy.state()
    pyramid = neck(state)['pyramid']
    for b, length in enumerate((12, 7, 9)):
        assert torch.equal(pyramid.features[0][b, :length], state.memory[b, :length])
        for level in (1, 2):
            cells = state.memory[b, :length].T[None]
            for block in neck.levels[level]:
                cells = torch.conv1d(cells, block.conv.weight, block.conv.bias, stride=2)
            count = length // 2**level
            assert torch.allclose(pyramid.features[level][b, :count], cells[0].T, atol=1e-5)
    assert pyramid.features[2].min() < 0 and not any('norm' in n for n in neck.state_dict())
