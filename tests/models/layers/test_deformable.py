# SPDX-License-Identifier: Apache-2.0
"""Attention of a point in time to a few clips."""

import math

import pytest
import torch

from vtg.models.layers import DeformableAttention

LENGTHS = (6, 4)


@pytest.fixture
def given():
    torch.manual_seed(0)
    mask = torch.arange(6)[None] < torch.tensor(LENGTHS)[:, None]
    return torch.randn(2, 3, 8), torch.rand(2, 3), torch.randn(2, 6, 10), mask


@pytest.mark.parametrize('length', ['own', 'padded'])
def test_by_hand(given, length):
    query, point, source, mask = given
    layer = DeformableAttention(8, 10, num_heads=2, num_points=3, length=length)
    found = layer(query, point, source, mask)
    for b, count in enumerate(LENGTHS):
        values = layer.value(source[b])
        for q in range(3):
            offsets, weights = layer.offsets(query[b, q]), layer.weights(query[b, q])
            row = torch.zeros(8)
            for head in range(2):
                share = weights[3 * head : 3 * head + 3].softmax(0)
                for k in range(3):
                    place = point[b, q] + offsets[3 * head + k] / count
                    if length == 'own':
                        index = place.clamp(0, 1).item() * (count - 1)
                    else:
                        index = (place * count / 6).clamp(0, 1).item() * 5
                    low = min(math.floor(index), 4)
                    part = index - low
                    read = (1 - part) * values[low] + part * values[low + 1]
                    # Channels of the heads stand side by side.
                    row[head::2] += share[k] * read[4 * head : 4 * head + 4]
            torch.testing.assert_close(found[b, q], layer.output(row), rtol=1e-4, atol=1e-5)


def test_starts_one_to_k_clips_behind_the_point(given):
    query, point, _, mask = given
    layer = DeformableAttention(8, 10, num_heads=2, num_points=2)
    torch.nn.init.zeros_(layer.offsets.weight)
    places = layer.places(query, 0 * point, mask)
    for b, count in enumerate(LENGTHS):
        wanted = torch.tensor([1.0, 2.0]) * (count - 1) / count
        torch.testing.assert_close(places[b], wanted.expand(3, 2, 2))


def test_padding_is_not_read(given):
    query, point, source, mask = given
    layer = DeformableAttention(8, 10, num_heads=2)
    noisy = torch.where(mask.unsqueeze(-1), source, 50.0)
    together = layer(query, point, noisy, mask)
    for b, count in enumerate(LENGTHS):
        row = slice(b, b + 1)
        alone = layer(query[row], point[row], source[row, :count], mask[row, :count])
        torch.testing.assert_close(together[row], alone, rtol=1e-5, atol=1e-5)
    published = DeformableAttention(8, 10, num_heads=2, length='padded')
    published.load_state_dict(layer.state_dict())
    assert not torch.allclose(published(query, point, noisy, mask)[1], together[1])


def test_gradient_reaches_offsets(given):
    query, point, source, mask = given
    layer = DeformableAttention(8, 10, num_heads=2)
    layer(query, point, source, mask).square().sum().backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in layer.parameters())
