# SPDX-License-Identifier: Apache-2.0
"""Residual convolutions over the clips."""

import torch
import torch.nn.functional as F

from vtg.models.encoders import ResidualConvEncoder


def test_blocks_by_hand(toy):
    encoder = ResidualConvEncoder(toy.dim, num_blocks=2).eval()
    state = toy.state()
    memory = encoder(state)['memory']
    for row, mask, ours in zip(state.fused, state.video_mask, memory):
        x = row[mask].T[None]
        for block in encoder.blocks:
            # Running statistics are still 0 and 1.
            inner = F.conv1d(x, block.conv1.conv.weight, block.conv1.conv.bias, padding=1)
            inner = F.relu(inner / (1 + 1e-5) ** 0.5)
            inner = F.conv1d(inner, block.conv2.conv.weight, block.conv2.conv.bias, padding=1)
            x = F.relu(x + inner / (1 + 1e-5) ** 0.5)
        torch.testing.assert_close(ours[mask], x[0].T, rtol=1e-5, atol=1e-5)


def test_padding_reaches_no_clip_and_no_gradient(toy):
    encoder, state = ResidualConvEncoder(toy.dim, num_blocks=3), toy.state()
    noisy = state.update(fused=state.fused.masked_fill(~state.video_mask.unsqueeze(-1), 9.0))
    found = [encoder(each)['memory'][state.video_mask] for each in (state, noisy)]
    torch.testing.assert_close(*found)
    published = ResidualConvEncoder(toy.dim, num_blocks=3, mask_padding=False)
    found = [published(each)['memory'][state.video_mask] for each in (state, noisy)]
    assert not torch.allclose(*found)


def test_words_stay_as_they_are(toy):
    state = toy.state()
    found = ResidualConvEncoder(toy.dim)(state)
    assert ('memory_text' in found) == (state.fused_text is not None)
    words = torch.zeros_like(state.text)
    found = ResidualConvEncoder(toy.dim)(state.update(fused_text=words))
    assert found['memory_text'] is words
