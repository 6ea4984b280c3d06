# SPDX-License-Identifier: Apache-2.0
"""Highlights reported with the foreground of the moment head."""

import torch

from vtg.models.extras import Foreground
from vtg.models.feedback import AddForeground


def test_adds_at_inference_only(toy):
    state = toy.state()
    state = state.update(foreground=Foreground(torch.rand_like(state.saliency)))
    plain, rounded = AddForeground().eval(), AddForeground(saliency_dtype='float16').eval()
    assert torch.equal(
        plain(state)['saliency'], state.saliency + state.extras[Foreground].probability
    )
    expected = state.saliency.half().float() + state.extras[Foreground].probability
    assert torch.equal(rounded(state)['saliency'], expected)
    assert plain.train()(state) == {}
    assert plain.requires == ('saliency', 'foreground')
