# SPDX-License-Identifier: Apache-2.0
"""The best moment scales the clips that the saliency head reads."""

import torch

from vtg.models.feedback import MomentSummaryFeedback


def make(toy):
    state = toy.state()
    spans = torch.rand(3, 4, 2)
    return state.update(spans=spans, span_scores=torch.rand(3, 4))


def test_gain_on_the_projected_clips(toy, shaken):
    feedback, state = shaken(MomentSummaryFeedback(toy.dim)), make(toy)
    summary = feedback.summary.summarize(
        state.projected_video, state.video_mask, state.spans, state.span_scores
    )
    gain = torch.einsum('bld,bd->bl', state.projected_video, summary)
    expected = state.memory * (1 + gain[..., None])
    assert torch.allclose(feedback(state)['saliency_memory'], expected, atol=1e-5)
    stream = torch.randn_like(state.memory)
    scaled = feedback(state.update(saliency_memory=stream))['saliency_memory']
    assert torch.allclose(scaled, stream * (1 + gain[..., None]), atol=1e-5)


def test_padding_does_not_matter(toy, shaken):
    feedback = shaken(MomentSummaryFeedback(toy.dim))
    toy.assert_padding_free(
        lambda s: {'m': (feedback(s)['saliency_memory'], s.video_mask)}, make(toy)
    )
