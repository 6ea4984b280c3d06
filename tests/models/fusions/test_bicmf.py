# SPDX-License-Identifier: Apache-2.0
"""Fusion in both directions."""

import pytest
import torch

from vtg.models.fusions import BiCMF
from vtg.utils import ConfigError

PAPER = dict(last_stage='self_attention', normalize_words=True)


def make(toy, shaken, **options):
    options = {'num_heads': 4, 'hidden_dim': 32, 'dropout': 0.0, **options}
    return shaken(BiCMF(toy.dim, **options)).eval()


def attend(module, query, key, value):
    """Multi-head attention of one sample, head by head."""
    size = query.shape[-1] // module.num_heads
    parts = zip(module.in_proj_weight.chunk(3), module.in_proj_bias.chunk(3), (query, key, value))
    q, k, v = (x @ weight.T + bias for weight, bias, x in parts)
    heads = []
    for h in range(module.num_heads):
        cut = slice(h * size, (h + 1) * size)
        heads.append((q[:, cut] @ k[:, cut].T / size**0.5).softmax(-1) @ v[:, cut])
    return module.out_proj(torch.cat(heads, dim=-1))


def naive(layer, video, video_pos, text, text_pos):
    taken = attend(layer.clip_attention, video + video_pos, text + text_pos, text)
    clips = layer.clip_norm(video + layer.clip_linear(taken))
    taken = attend(layer.word_attention, text + text_pos, video + video_pos, video)
    words = layer.word_norm(text + layer.word_linear(taken))
    mutual = attend(layer.mutual_attention, clips, words, words)
    clips = layer.mutual_norm(clips + layer.mutual_linear(mutual))
    if layer.feed_forward is not None:
        return layer.last_norm(2 * layer.feed_forward(clips))
    query = clips + video_pos
    return layer.last_norm(clips + attend(layer.self_attention, query, query, clips))


@pytest.mark.parametrize('options', [{}, PAPER])
def test_against_loops(toy, shaken, options):
    fusion, state = make(toy, shaken, num_layers=2, **options), toy.state()
    with torch.no_grad():
        fused = fusion(state)['fused']
        for b in range(3):
            one = toy.alone(state, b)
            video = one.video[0]
            for layer in fusion.layers:
                video = naive(layer, video, one.video_pos[0], one.text[0], one.text_pos[0])
            assert torch.allclose(fused[b][state.video_mask[b]], video, atol=1e-4)


@pytest.mark.parametrize('options', [{}, PAPER])
def test_padding_does_not_matter(toy, shaken, options):
    fusion = make(toy, shaken, **options)
    toy.assert_padding_free(
        lambda s: {'fused': (fusion(s)['fused'], s.video_mask)},
        toy.state(clips=(12, 1, 9), words=(1, 6, 4)),
    )


def test_tiled_masks_matter_in_padded_batches_only(toy, shaken):
    right, tiled = make(toy, shaken), make(toy, shaken, mask_layout='tiled')
    tiled.load_state_dict(right.state_dict())
    with torch.no_grad():
        for clips, words, same in (((9, 9), (4, 4), True), ((9, 5), (4, 2), False)):
            state = toy.state(clips=clips, words=words)
            mask = state.video_mask
            equal = torch.allclose(
                right(state)['fused'][mask], tiled(state)['fused'][mask], atol=1e-5
            )
            assert equal == same


def test_unknown_options(toy):
    with pytest.raises(ConfigError, match='last_stage must be feed_forward or self_attention'):
        BiCMF(toy.dim, last_stage='none')
    with pytest.raises(ConfigError, match='mask_layout must be correct or tiled'):
        BiCMF(toy.dim, mask_layout='wrong')


@pytest.mark.parametrize('options', [{}, PAPER])
def test_gradients_reach_every_parameter(toy, shaken, without_gradient, options):
    fusion, state = make(toy, shaken, **options), toy.state()
    weight = torch.randn(toy.dim)
    (fusion(state)['fused'] * weight)[state.video_mask].square().sum().backward()
    assert without_gradient(fusion) == []


def test_learned_positions_stand_at_every_input(toy, shaken, without_gradient):
    fusion, state = make(toy, shaken, **PAPER, learned_positions=(15, 7)), toy.state()
    clip_places, word_places = fusion.positions
    layer = fusion.layers[0]
    with torch.no_grad():
        fused = fusion(state)['fused']
        for b in range(3):
            one = toy.alone(state, b)
            video, text = one.video[0], one.text[0]
            places, words_at = clip_places[: len(video)], word_places[: len(text)]
            taken = attend(layer.clip_attention, video + places, text + words_at, text)
            clips = layer.clip_norm(video + layer.clip_linear(taken))
            taken = attend(layer.word_attention, text + words_at, video + places, video)
            words = layer.word_norm(text + layer.word_linear(taken))
            mutual = attend(layer.mutual_attention, clips + places, words + words_at, words)
            clips = layer.mutual_norm(clips + layer.mutual_linear(mutual))
            query = clips + places
            clips = layer.last_norm(clips + attend(layer.self_attention, query, query, clips))
            assert torch.allclose(fused[b, : len(video)], clips, atol=1e-4)
    toy.assert_padding_free(
        lambda s: {'fused': (fusion(s)['fused'], s.video_mask)},
        toy.state(clips=(12, 1, 9), words=(1, 6, 4)),
    )
    (fusion(state)['fused'] * torch.randn(toy.dim))[state.video_mask].square().sum().backward()
    assert without_gradient(fusion) == []


def test_more_clips_than_learned_positions(toy, shaken):
    fusion = make(toy, shaken, learned_positions=(10, 7))
    with pytest.raises(ConfigError, match=r'12 clips and 5 words.*learned_positions are \(10, 7\)'):
        fusion(toy.state())
