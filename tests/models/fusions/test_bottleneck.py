# SPDX-License-Identifier: Apache-2.0
"""The fusion of two streams through a few tokens."""

import torch

from vtg.registry import MODELS


def build(**options):
    torch.manual_seed(0)
    return MODELS.build(
        dict(type='BottleneckFusion', dim=16, num_heads=2, hidden_dim=24, max_clips=20, **options)
    ).eval()


def test_padding_does_not_matter(toy):
    fusion, state = build(num_layers=2), toy.state(targets=False)
    audio = torch.randn_like(state.video)
    whole = fusion(state.update(audio=audio))['fused']
    for row, count in enumerate(state.video_mask.sum(dim=1).tolist()):
        alone = state.update(
            video=state.video[row : row + 1, :count], audio=audio[row : row + 1, :count],
            video_mask=state.video_mask[row : row + 1, :count],
        )  # fmt: skip
        torch.testing.assert_close(fusion(alone)['fused'][0], whole[row, :count], atol=1e-5, rtol=0)


def test_streams_reach_each_other_through_the_tokens_alone(toy):
    """Without what the streams take from the tokens, a clip does not know the other clips."""
    fusion, state = build(), toy.state(targets=False)
    state = state.update(audio=torch.randn_like(state.video))
    other = state.update(audio=state.audio.clone())
    other.audio[:, 0] = torch.randn(16)
    assert not torch.allclose(fusion(state)['fused'][:, 1], fusion(other)['fused'][:, 1])
    for attention in fusion.layers[0].expand:
        torch.nn.init.zeros_(attention.out_proj.weight)
    torch.testing.assert_close(fusion(state)['fused'][:, 1], fusion(other)['fused'][:, 1])
