# SPDX-License-Identifier: Apache-2.0
"""Alignments of clips, videos and texts."""

import math

import pytest
import torch
import torch.nn.functional as F

from vtg.models.auxiliary import ClipTextSaliency, GlobalAlignment, LocalAlignment
from vtg.models.losses import SaliencyCosineLoss
from vtg.utils import ConfigError

COSINE = dict(cosine=dict(type='SaliencyCosineLoss', weight=0.2))


def test_clip_text_by_hand(toy):
    state = toy.state()
    scores = torch.zeros_like(state.saliency)
    for b in range(3):
        words = state.text[b][state.text_mask[b]].mean(0)
        scores[b] = torch.stack([F.cosine_similarity(words, c, dim=0) for c in state.video[b]])
    expected = 0.2 * SaliencyCosineLoss()(scores, state, None)
    loss = ClipTextSaliency(COSINE).loss(state)['loss_clip_text_cosine']
    assert loss.item() == pytest.approx(expected.item(), rel=1e-4)


def test_local_by_hand(toy):
    state, terms, padded = toy.state(), [], 0
    for b in range(3):
        words = F.normalize(state.projected_text[b][state.text_mask[b]], dim=-1).mean(0)
        for i in range(12):
            if not state.video_mask[b, i]:
                padded += 1
                continue
            logit = F.normalize(state.projected_video[b, i], dim=0) @ words / 0.07
            sign = 1 if state.targets.relevant[b, i] else -1
            terms.append(-F.logsigmoid(sign * logit))
    total = sum(terms).item()
    loss = LocalAlignment(weight=0.5).loss(state)['loss_local_alignment']
    assert loss.item() == pytest.approx(0.5 * total / len(terms), rel=1e-4)
    loss = LocalAlignment(average_over='padded').loss(state)['loss_local_alignment']
    expected = (total + padded * math.log(2)) / (len(terms) + padded)
    assert loss.item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize('average_over', ['valid', 'padded'])
def test_global_by_hand(toy, average_over):
    state = toy.state()

    def means(tokens, mask):
        rows = tokens if average_over == 'padded' else [t[m] for t, m in zip(tokens, mask)]
        return F.normalize(torch.stack([row.mean(0) for row in rows]), dim=-1)

    video = means(state.projected_video, state.video_mask)
    text = means(state.projected_text, state.text_mask)
    logits, target = text @ video.T / 0.07, torch.arange(3)
    expected = (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
    branch = GlobalAlignment(weight=0.3, average_over=average_over)
    loss = branch.loss(state)['loss_global_alignment']
    assert loss.item() == pytest.approx(0.3 * expected.item(), rel=1e-4)


@pytest.mark.parametrize('branch', [ClipTextSaliency(COSINE), LocalAlignment(), GlobalAlignment()])
def test_padding_does_not_matter(toy, branch):
    state = toy.state()
    values = [
        {name: loss.item() for name, loss in branch.loss(s).items()}
        for s in (state, toy.scrambled(state))
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-5)


def test_unknown_options():
    with pytest.raises(ConfigError, match='LocalAlignment: average_over must be valid or padded'):
        LocalAlignment(average_over='all')
