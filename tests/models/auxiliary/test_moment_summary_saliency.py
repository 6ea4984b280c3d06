# SPDX-License-Identifier: Apache-2.0
"""Clip scores made from the best moment."""

import pytest
import torch

from vtg.models.auxiliary import MomentSummarySaliency
from vtg.models.losses import SaliencyCosineLoss

COSINE = dict(cosine=dict(type='SaliencyCosineLoss', weight=2.0))


def make(toy):
    return toy.state().update(spans=torch.rand(3, 4, 2), span_scores=torch.rand(3, 4))


def test_scores_and_loss_by_hand(toy, shaken):
    branch, state = shaken(MomentSummarySaliency(toy.dim, COSINE)), make(toy)
    gain = branch.summary(state.projected_video, state.video_mask, state.spans, state.span_scores)
    scores = branch.score(state.memory * (1 + gain[..., None])).squeeze(-1)
    assert torch.allclose(branch.saliency(state), scores)
    expected = 2 * SaliencyCosineLoss()(scores, state, None)
    loss = branch.loss(state)
    assert set(loss) == {'loss_moment_saliency_cosine'}
    assert loss['loss_moment_saliency_cosine'].item() == pytest.approx(expected.item())


def test_padding_does_not_matter(toy, shaken):
    branch = shaken(MomentSummarySaliency(toy.dim, COSINE))
    toy.assert_padding_free(lambda s: {'s': (branch.saliency(s), s.video_mask)}, make(toy))


def test_gradients_reach_every_parameter_and_not_the_moment(toy, without_gradient):
    branch, state = MomentSummarySaliency(toy.dim, COSINE), make(toy)
    spans = state.spans.clone().requires_grad_()
    branch.loss(state.update(spans=spans))['loss_moment_saliency_cosine'].backward()
    # A constant added to all scores is shifted away again.
    assert without_gradient(branch) in ([], ['score.proj.bias'])
    assert spans.grad is None
