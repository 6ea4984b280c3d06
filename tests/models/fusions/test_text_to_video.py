# SPDX-License-Identifier: Apache-2.0
"""Cross-attention from clips to words, concatenation, and the mask in the wrong order."""

import pytest
import torch
from torch import nn

from vtg.models.fusions import Concatenation, TextToVideoAttention
from vtg.models.layers import tiled_padding_mask
from vtg.registry import MODELS
from vtg.utils import ConfigError


def fusion(dim=16, **kwargs):
    options = dict(num_layers=2, num_heads=4, hidden_dim=32, dropout=0.0, residual_dropout=0.0)
    return TextToVideoAttention(dim, **{**options, **kwargs}).eval()


def test_layer_follows_the_published_steps(toy):
    state = toy.state()
    model = fusion(num_layers=1)
    (layer,) = model.layers
    with torch.no_grad():
        found = model(state)['fused']
        attention = nn.MultiheadAttention(16, 4, batch_first=True)
        attention.load_state_dict(layer.attention.state_dict())
        attended, _ = attention(
            state.video + state.video_pos,
            state.text + state.text_pos,
            state.text,
            key_padding_mask=~state.text_mask,
        )
        x = state.video + attended
        expected = layer.norm2(x + layer.feed_forward(layer.norm1(x)))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_padding_never_matters(toy):
    model = fusion()
    toy.assert_padding_free(
        lambda state: {'fused': (model(state)['fused'], state.video_mask)}, toy.state()
    )


def test_tiled_mask_takes_the_padding_of_other_samples():
    video = torch.tensor([[1, 1, 1], [1, 1, 0]]).bool()
    text = torch.tensor([[1, 1], [1, 0]]).bool()
    mask = tiled_padding_mask(video, text, num_heads=3)
    assert mask.shape == (2, 3, 3, 2)
    for sample in range(2):
        for head in range(3):
            other = (3 * sample + head) % 2
            expected = ~video[other][:, None] & ~text[other][None]
            assert torch.equal(mask[sample, head], expected)


def test_tiled_layout_changes_real_clips_only_where_lengths_differ(toy):
    correct, tiled = fusion(), fusion(mask_layout='tiled')
    tiled.load_state_dict(correct.state_dict())
    even, uneven = toy.state(clips=(6, 6), words=(4, 4)), toy.state()
    with torch.no_grad():
        torch.testing.assert_close(tiled(even)['fused'], correct(even)['fused'])
        difference = (tiled(uneven)['fused'] - correct(uneven)['fused']).abs()
    assert difference[uneven.video_mask].max() > 1e-3
    with pytest.raises(ConfigError, match="mask_layout is 'official'"):
        MODELS.build(dict(type='TextToVideoAttention', dim=16, mask_layout='official'))


def test_concatenation_hands_both_on(toy):
    state = toy.state()
    values = Concatenation()(state)
    assert values['fused'] is state.video and values['fused_text'] is state.text
