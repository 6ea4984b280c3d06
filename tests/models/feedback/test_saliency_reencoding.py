# SPDX-License-Identifier: Apache-2.0
"""A second encoding of clips weighted by their saliency."""

import pytest
import torch
from torch import nn

from vtg.models.encoders import TransformerEncoder
from vtg.models.feedback import SaliencyReencoding
from vtg.models.heads import LinearSaliencyHead


class Stages(nn.Module):
    """Runs an encoder and a saliency head as the model would."""

    def __init__(self, dim):
        super().__init__()
        self.encoder = TransformerEncoder(
            dim, num_layers=1, num_heads=4, hidden_dim=32, dropout=0.0, drop_path=0.0
        )
        self.saliency_head = LinearSaliencyHead(dim)

    def run(self, state, names):
        for name in names:
            state = state.update(**getattr(self, name)(state))
        return state


def test_against_the_published_steps(toy, shaken):
    stages, state = shaken(Stages(toy.dim)), toy.state()
    with torch.no_grad():
        memory = SaliencyReencoding()(state.update(runner=stages.run))['memory']
        for b in range(3):
            one = toy.alone(state, b)
            weight = stages.saliency_head.score(one.memory).squeeze(-1).softmax(dim=1)
            again = one.update(fused=one.memory + weight[..., None] * one.fused)
            expected = stages.encoder(again)['memory'][0]
            assert torch.allclose(memory[b][state.video_mask[b]], expected, atol=1e-4)


def test_padding_does_not_matter_unless_told(toy, shaken):
    stages, state = shaken(Stages(toy.dim)), toy.state()

    def run(feedback):
        return lambda s: {'m': (feedback(s.update(runner=stages.run))['memory'], s.video_mask)}

    toy.assert_padding_free(run(SaliencyReencoding()), state)
    with pytest.raises(AssertionError):
        toy.assert_padding_free(run(SaliencyReencoding(softmax_over='padded')), state)
