# SPDX-License-Identifier: Apache-2.0
"""Attention between clips and words in both directions, and blocks over clips and words."""

import pytest
import torch
from torch import nn

from vtg.models.fusions import ContextQueryFusion, TemporalFusion


def alone(state, row):
    """Clips, words and positions of one sample, without padding."""
    clips, words = state.video_mask[row], state.text_mask[row]
    return state.video[row][clips], state.text[row][words], state.video_pos[row][clips]


def test_context_query_by_loops_and_without_padding(toy, shaken):
    fusion, state = shaken(ContextQueryFusion(toy.dim)).eval(), toy.state()
    a, b, c = (p.flatten() for p in (fusion.clip_weight, fusion.word_weight, fusion.product_weight))
    with torch.no_grad():
        fused = fusion(state)['fused']
        for row in range(3):
            clips, words, _ = alone(state, row)
            scores = torch.stack(
                [torch.stack([v @ a + w @ b + (v * w) @ c for w in words]) for v in clips]
            )
            # Which words a clip points to, and which clips a word points to.
            to_words = [line.softmax(0) for line in scores]
            to_clips = [column.softmax(0) for column in scores.T]
            summaries = [sum(p * v for p, v in zip(share, clips)) for share in to_clips]
            for index, (clip, share) in enumerate(zip(clips, to_words)):
                said = sum(p * w for p, w in zip(share, words))
                meant = sum(p * s for p, s in zip(share, summaries))
                expected = fusion.attended(torch.cat((clip, said, clip * said, clip * meant)))
                torch.testing.assert_close(fused[row, index], expected, atol=1e-5, rtol=1e-5)
    toy.assert_padding_free(lambda s: {'fused': (fusion(s)['fused'], s.video_mask)}, state)


@pytest.mark.parametrize('num_layers', [1, 2])
def test_temporal_blocks_with_the_attention_of_torch(toy, shaken, num_layers):
    fusion = TemporalFusion(toy.dim, num_layers, num_heads=2, hidden_dim=24)
    fusion, state = shaken(fusion).eval(), toy.state()

    def attention(module, query, key, value):
        layer = nn.MultiheadAttention(toy.dim, 2, batch_first=True).eval()
        layer.load_state_dict(module.state_dict())
        return layer(query[None], key[None], value[None])[0][0]

    with torch.no_grad():
        fused = fusion(state)['fused']
        for row in range(3):
            clips, words, place = alone(state, row)
            for block in fusion.blocks:
                first, second, third = block.norms
                clips = first(clips + attention(block.cross_attention, clips + place, words, words))
                key = clips + place
                clips = second(clips + attention(block.self_attention, key, key, clips))
                linears = [each for each in block.feed_forward if isinstance(each, nn.Linear)]
                clips = third(clips + linears[1](linears[0](clips).relu()))
            torch.testing.assert_close(fused[row, : len(clips)], clips, atol=1e-5, rtol=1e-5)
    toy.assert_padding_free(lambda s: {'fused': (fusion(s)['fused'], s.video_mask)}, state)
