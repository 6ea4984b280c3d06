# SPDX-License-Identifier: Apache-2.0
"""Maxima over neighbouring clips."""

import torch

from vtg.models.encoders import TemporalMaxPool
from vtg.models.extras import Context
from vtg.models.layers.max_pool import MaskedMaxPool1d


def test_against_loops(toy):
    state = toy.state(clips=(12, 1, 9))
    out = MaskedMaxPool1d(5)(state.memory, state.video_mask)
    for b, length in enumerate((12, 1, 9)):
        for i in range(length):
            window = state.memory[b, max(i - 2, 0) : min(i + 3, length)]
            assert torch.equal(out[b, i], window.amax(dim=0))
    assert not out[~state.video_mask].any()


def test_official_behaviour_reads_padding(toy):
    state = toy.state(clips=(12, 6, 9))
    pool = MaskedMaxPool1d(5, mask_padding=False)
    a, b = (pool(s.memory, s.video_mask) for s in (state, toy.scrambled(state)))
    assert torch.equal(a[0], b[0]) and torch.equal(a[1, :4], b[1, :4])
    assert not torch.equal(a[1, 4:6], b[1, 4:6])


def test_encoder_keeps_text_and_context(toy):
    encoder = TemporalMaxPool(kernel_size=3)
    state = toy.state()
    state = state.update(
        fused_text=torch.randn_like(state.text), context=Context(torch.randn(3, 16))
    )
    toy.assert_padding_free(lambda s: {'memory': (encoder(s)['memory'], s.video_mask)}, state)
    out = encoder(state)
    assert set(out) == {'memory', 'memory_text'} and out['memory_text'] is state.fused_text
    assert torch.equal(out['memory'], encoder.pool(state.fused, state.video_mask))
    assert encoder.dim is None and not list(encoder.parameters())
