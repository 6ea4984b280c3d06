# SPDX-License-Identifier: Apache-2.0
"""Contrast across videos and layers, against cross-entropy written out."""

import pytest
import torch
import torch.nn.functional as F

from vtg.models.auxiliary import LayerCalibration
from vtg.models.extras import LayerSteps


def contrast(clips, queries):
    logits = F.normalize(clips, dim=-1) @ F.normalize(queries, dim=-1).T / 0.07
    itself = torch.arange(len(logits))
    return (F.cross_entropy(logits, itself) + F.cross_entropy(logits.T, itself)) / 2


@pytest.mark.parametrize('labelled', [(0, 1, 2), (0, 2)])
def test_both_terms(toy, labelled):
    state = toy.state()
    steps = LayerSteps(torch.randn(3, 4, 12, 16), torch.randn(3, 4, 16))
    relevant = state.targets.relevant.clone()
    relevant[[row for row in range(3) if row not in labelled]] = False
    object.__setattr__(state.targets, 'relevant', relevant)
    losses = LayerCalibration(video_weight=0.5, layer_weight=2.0).loss(
        state.update(layer_steps=steps)
    )
    rows = list(labelled)
    anchors = state.targets.pos_clips[:, -1]
    clips = torch.stack([steps.clips[row, :, anchors[row]] for row in rows])
    sentences = steps.sentences[rows]
    across = sum(contrast(clips[:, k], sentences[:, k]) for k in range(4)) / 4
    within = sum(contrast(*pair) for pair in zip(clips, sentences)) / len(rows)
    torch.testing.assert_close(losses['loss_video_calibration'], 0.5 * across)
    torch.testing.assert_close(losses['loss_layer_calibration'], 2.0 * within)
