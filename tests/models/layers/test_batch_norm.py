# SPDX-License-Identifier: Apache-2.0
"""Batch normalisation that knows padding."""

import pytest
import torch
from torch import nn

from vtg.models.layers import MaskedBatchNorm1d


@pytest.fixture
def padded():
    torch.manual_seed(0)
    mask = torch.arange(7)[None] < torch.tensor([[7], [3], [1]])
    return 3 * torch.randn(3, 7, 5) + 1, mask


def test_statistics_are_those_of_real_positions(padded):
    x, mask = padded
    ours, theirs = MaskedBatchNorm1d(5), nn.BatchNorm1d(5)
    for norm in (ours, theirs):
        nn.init.constant_(norm.weight, 1.5)
        nn.init.constant_(norm.bias, -0.5)
    for _ in range(2):
        torch.testing.assert_close(ours(x, mask)[mask], theirs(x[mask]), rtol=1e-5, atol=1e-5)
    for name, value in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], value, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(ours.eval()(x, mask)[mask], theirs.eval()(x[mask]))


def test_padding_does_not_count_unless_it_should(padded):
    x, mask = padded
    noisy = torch.where(mask.unsqueeze(-1), x, 100.0)
    norm = MaskedBatchNorm1d(5)
    torch.testing.assert_close(norm(x, mask)[mask], norm(noisy, mask)[mask])
    published, plain = MaskedBatchNorm1d(5, mask_padding=False), nn.BatchNorm1d(5)
    torch.testing.assert_close(published(noisy, mask).flatten(0, 1), plain(noisy.flatten(0, 1)))


def test_one_real_position_is_finite():
    norm = MaskedBatchNorm1d(2)
    out = norm(torch.ones(1, 3, 2), torch.tensor([[True, False, False]]))
    assert out.isfinite().all() and norm.running_var.isfinite().all()
