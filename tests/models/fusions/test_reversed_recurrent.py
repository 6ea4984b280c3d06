# SPDX-License-Identifier: Apache-2.0
"""Fusion layer by layer, against the steps written out for one clip at a time."""

from dataclasses import replace

import pytest
import torch

from vtg.models.extras import LayeredText, LayeredVideo, LayerSteps
from vtg.models.fusions import ReversedRecurrentFusion
from vtg.utils import ConfigError


def make(toy, shaken, layers=3, **options):
    fusion = ReversedRecurrentFusion(
        16, num_heads=4, hidden_dim=32, backbone_layers=layers, drop_path=0.0, **options
    )
    state = toy.state()
    video, text = (
        torch.randn(*state.video_mask.shape, layers, 5, 16),
        torch.randn(*state.text_mask.shape, layers, 16),
    )
    extras = {'layered_video': LayeredVideo(video), 'layered_text': LayeredText(text)}
    return shaken(fusion).eval(), state.update(**extras)


def cut(state, index):
    clips, words = int(state.video_mask[index].sum()), int(state.text_mask[index].sum())
    row = slice(index, index + 1)
    video, text = state.extras[LayeredVideo].tokens, state.extras[LayeredText].tokens
    return replace(
        state,
        video_mask=state.video_mask[row, :clips],
        text_mask=state.text_mask[row, :words],
        video_pos=state.video_pos[row, :clips],
        extras=state.extras.update(
            {
                'layered_video': LayeredVideo(video[row, :clips]),
                'layered_text': LayeredText(text[row, :words]),
            }
        ),
    )


def test_padding_does_not_count(toy, shaken):
    fusion, state = make(toy, shaken)
    with torch.no_grad():
        together = fusion(state)
        for index, clips in enumerate(state.video_mask.sum(dim=1).tolist()):
            alone = fusion(cut(state, index))
            torch.testing.assert_close(together['fused'][index, :clips], alone['fused'][0])
            torch.testing.assert_close(together['sentence'][index], alone['sentence'][0])


def test_words_pool_patches_and_a_channel_keeps_the_largest(toy, shaken):
    fusion, _ = make(toy, shaken)
    patches, words = torch.randn(1, 1, 5, 16), torch.randn(1, 3, 16)
    real = torch.tensor([[True, True, False]])
    found = fusion.pool(patches, words, real)[0, 0]
    each = []
    for word in words[0, :2]:
        match = fusion.patch_proj(patches[0, 0]) @ fusion.word_proj(word) / 4
        each.append(match.softmax(dim=0) @ patches[0, 0] + word)
    torch.testing.assert_close(found, torch.stack(each).amax(dim=0))
    # The released code lets padding win.
    fusion.mask_padding = False
    words[0, 2] = 100
    assert (fusion.pool(patches, words, real) > 50).all()


def test_steps_run_from_the_last_layer_to_the_first(toy, shaken):
    fusion, state = make(toy, shaken)
    made = fusion(state)
    video, text = state.extras[LayeredVideo].tokens, state.extras[LayeredText].tokens
    fused = None
    for layer in (2, 1, 0):
        pooled = fusion.pool(video[:, :, layer], text[:, :, layer], state.text_mask)
        x = video[:, :, layer, 0] + torch.tanh(fusion.pooled_scales[layer]) * pooled
        if fused is not None:
            gate = torch.sigmoid(fusion.gates[layer])
            x = gate * x + (1 - gate) * fused
        fused = fusion.block(
            x, state.video_mask, state.video_pos, text[:, :, layer], state.text_mask
        )
    torch.testing.assert_close(made['fused'], fused)
    steps: LayerSteps = made['layer_steps']
    torch.testing.assert_close(steps.clips, video[..., 0, :].flip(2).transpose(1, 2))
    torch.testing.assert_close(steps.sentences[:, -1], made['sentence'])


def test_other_numbers_of_layers_are_refused(toy, shaken):
    fusion, _ = make(toy, shaken)
    _, state = make(toy, shaken, layers=2)
    with pytest.raises(ConfigError, match='backbone_layers=3, but the video comes with 2'):
        fusion(state)
