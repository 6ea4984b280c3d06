# SPDX-License-Identifier: Apache-2.0
"""The decoder with one query per clip, and the encoder of one stream."""

import pytest
import torch

from vtg.registry import MODELS
from vtg.utils import DataError

SIZES = dict(dim=16, num_heads=2, hidden_dim=24)


def alone(state, row):
    """The sample of a row without padding."""
    clips, words = int(state.video_mask[row].sum()), int(state.text_mask[row].sum())
    part = slice(row, row + 1)
    return clips, state.update(
        video_mask=state.video_mask[part, :clips], text_mask=state.text_mask[part, :words],
        video=state.video[part, :clips], fused=state.fused[part, :clips],
        text=state.text[part, :words],
    )  # fmt: skip


@pytest.mark.parametrize('queries', ['text', 'clips'])
def test_padding_does_not_matter(toy, queries):
    decoder = MODELS.build(
        dict(type='ClipQueryDecoder', num_layers=2, max_clips=20, queries=queries, **SIZES)
    ).eval()
    state = toy.state(targets=False)
    whole = decoder(state)['memory']
    for row in range(len(whole)):
        clips, single = alone(state, row)
        torch.testing.assert_close(decoder(single)['memory'][0], whole[row, :clips],
                                   atol=1e-5, rtol=0)  # fmt: skip
    decoder.mask_padding = False
    assert not torch.allclose(decoder(state)['memory'][1, 0], whole[1, 0], atol=1e-4)


def test_queries_are_made_of_words_alone(toy):
    """Without residual, a clip with equal keys gets the mean of the projected words."""
    decoder = MODELS.build(dict(type='ClipQueryDecoder', max_clips=20, **SIZES)).eval()
    generator = decoder.generator
    torch.nn.init.zeros_(generator.in_proj_weight[:32])
    state = toy.state(targets=False)
    words, mask = state.text, state.text_mask
    values = words @ generator.in_proj_weight[32:].T + generator.in_proj_bias[32:]
    mean = (values * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    wanted = generator.out_proj(mean)
    found = generator(state.fused, words, words, mask)
    torch.testing.assert_close(found[:, 0], wanted, atol=1e-5, rtol=0)
    torch.testing.assert_close(found[:, 3], wanted, atol=1e-5, rtol=0)


def test_a_video_longer_than_the_table_is_refused(toy):
    encoder = MODELS.build(dict(type='StreamEncoder', max_clips=5, **SIZES))
    with pytest.raises(DataError, match=r'end at 5 clips, but a video has 12; cut it'):
        encoder(toy.state(targets=False))


@pytest.mark.parametrize('stream', ['video', 'audio'])
def test_stream_encoder_changes_its_stream(toy, stream):
    encoder = MODELS.build(
        dict(type='StreamEncoder', stream=stream, num_layers=2, max_clips=20, **SIZES)
    ).eval()
    state = toy.state(targets=False)
    state = state.update(audio=state.video)
    whole = encoder(state)
    assert set(whole) == {stream}
    for row in range(3):
        clips, single = alone(state, row)
        found = encoder(single.update(audio=single.video))[stream]
        torch.testing.assert_close(found[0], whole[stream][row, :clips], atol=1e-5, rtol=0)
