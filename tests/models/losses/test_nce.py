# SPDX-License-Identifier: Apache-2.0
"""UniVTG's contrastive losses."""

import pytest
import torch
import torch.nn.functional as F

from vtg.models.losses import InterVideoNCELoss, IntraVideoNCELoss

T = 0.07


def with_labels(state):
    """Random grades; the last pair's clip is relevant and not the best one."""
    saliency = torch.where(state.video_mask, torch.randint(0, 5, state.video_mask.shape), 0)
    saliency[:, 0] = 2
    pos = torch.zeros(len(saliency), 2, dtype=torch.long)
    targets = state.targets
    object.__setattr__(targets, 'saliency', saliency.float())
    object.__setattr__(targets, 'relevant', saliency > 0)
    object.__setattr__(targets, 'pos_clips', pos)
    return state


def test_inter_by_hand(toy):
    state = with_labels(toy.state())
    clips = torch.stack([state.video[b, state.targets.pos_clips[b, -1]] for b in range(3)])
    logits = F.cosine_similarity(clips[:, None], state.sentence[None], dim=-1) / T
    target = torch.arange(3)
    expected = F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)
    loss = InterVideoNCELoss(weight=0.5)(state.saliency, state, None)
    assert loss.item() == pytest.approx(0.5 * expected.item(), rel=1e-5)
    assert InterVideoNCELoss.loss_requires == ('video', 'sentence')


def test_intra_by_hand(toy):
    state = with_labels(toy.state())
    scores, targets = state.saliency.tanh(), state.targets
    kept = torch.zeros_like(state.video_mask)
    for b in range(3):
        clip = targets.pos_clips[b, -1]
        for i in range(int(targets.num_clips[b])):
            lower = targets.saliency[b, i] < targets.saliency[b, clip]
            kept[b, i] = bool(lower) or i == clip
    expected = 0.0
    for b in range(3):
        clip = targets.pos_clips[b, -1]
        own = scores[b, clip] / T
        expected -= own - (scores[b][kept[b]] / T).logsumexp(0)
        expected -= own - torch.stack(
            [scores[o, clip] / T for o in range(3) if kept[o, clip]]
        ).logsumexp(0)
    loss = IntraVideoNCELoss()(scores, state, None)
    assert loss.item() == pytest.approx(expected.item() / 3, rel=1e-4)


def test_samples_without_a_relevant_clip_do_not_count(toy):
    state = with_labels(toy.state())
    state.targets.relevant[1] = False
    for kind in (InterVideoNCELoss, IntraVideoNCELoss):
        assert kind()(state.saliency, state, None).isfinite()
    state.targets.saliency.zero_()
    for kind in (InterVideoNCELoss, IntraVideoNCELoss):
        assert kind()(state.saliency, state, None) == 0


@pytest.mark.parametrize('kind', [InterVideoNCELoss, IntraVideoNCELoss])
def test_padding_does_not_matter(toy, kind):
    state = with_labels(toy.state())
    other = toy.scrambled(state)
    values = [kind()(s.saliency, s, None).item() for s in (state, other)]
    assert values[0] == pytest.approx(values[1], rel=1e-6)
