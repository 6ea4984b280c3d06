# SPDX-License-Identifier: Apache-2.0
"""The checks find what is broken and name it, and find nothing where nothing is."""

from functools import partial
from typing import Any

import pytest
import torch
from systems import small_system
from torch import Tensor, nn

from vtg.models import Grounder, checks
from vtg.models.base import Fusion
from vtg.models.checks import check_model
from vtg.models.losses import MomentLoss, SaliencyLoss
from vtg.registry import MODELS
from vtg.structures import GroundingState
from vtg.utils import ConfigError


class Sound(Fusion):
    """Adds the mean word to every clip; what is wrong below is one thing each."""

    requires = ('video', 'text')

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.project = nn.Linear(dim, dim)

    def mean(self, state: GroundingState) -> Tensor:
        real = state.text_mask.unsqueeze(-1)
        return (state.text * real).sum(1, keepdim=True) / real.sum(1, keepdim=True)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        return {'fused': state.video + self.project(self.mean(state))}


class OverPadding(Sound):
    def mean(self, state):
        return state.text.mean(1, keepdim=True)


class MixesSamples(Sound):
    def mean(self, state):
        return super().mean(state) - super().mean(state).mean(0, keepdim=True)


class MixesInTraining(Sound):
    def __init__(self, dim):
        super().__init__(dim)
        self.norm = nn.BatchNorm1d(dim)

    def mean(self, state):
        return self.norm(super().mean(state).squeeze(1)).unsqueeze(1)


class DeadParameter(Sound):
    def __init__(self, dim):
        super().__init__(dim)
        self.forgotten = nn.Parameter(torch.zeros(dim))


class RandomInEvaluation(Sound):
    def mean(self, state):
        return super().mean(state) + 0.1 * torch.randn_like(super().mean(state))


class InPlace(Sound):
    def forward(self, state):
        state.video.add_(self.project(self.mean(state)))
        return {'fused': state.video.clone()}


class NotInTheStateDict(Sound):
    def __init__(self, dim):
        super().__init__(dim)
        self.scale = torch.rand(())

    def mean(self, state):
        return super().mean(state) * self.scale


class NotFinite(Sound):
    def mean(self, state):
        # The unbiased deviation of one word.
        return super().mean(state) / (state.text_mask.sum(1) - 1)[:, None, None]


class Undeclared(Sound):
    def forward(self, state):
        return {**super().forward(state), 'saliency_memory': state.video}


class CountsPadding(SaliencyLoss):
    def compute(self, scores, state, negative):
        return (scores.sigmoid() - state.targets.saliency / 12).square().mean()


class CountsEveryEntry(MomentLoss):
    def compute(self, assigned, state):
        found, wanted = assigned.as_ends
        return assigned.span_mean((found - wanted).abs().sum(-1)) * state.video_mask.shape[1]


FUSIONS = {
    OverPadding: checks.padding,
    MixesSamples: checks.neighbours,
    MixesInTraining: checks.neighbours_in_training,
    RandomInEvaluation: checks.repetition,
    InPlace: checks.repetition,
    NotFinite: checks.finite,
    Undeclared: checks.declarations,
}
LOSSES = {CountsPadding: 'saliency_head', CountsEveryEntry: 'moment_head'}


@pytest.fixture(autouse=True)
def registered():
    made = (Sound, *FUSIONS, *LOSSES, DeadParameter, NotInTheStateDict)
    for cls in made:
        MODELS.register_module(module=cls)
    yield
    for cls in made:
        MODELS.module_dict.pop(cls.__name__)


def build(fusion: str = 'Sound', loss: str | None = None) -> Grounder:
    """QD-DETR, small, with another fusion and perhaps a loss more."""

    def change(model):
        model['fusion'] = dict(own=dict(type=fusion))
        model['encoder']['num_layers'] = 1
        model['moment_head']['queries']['num_queries'] = 4
        for cls, head in LOSSES.items():
            if cls.__name__ == loss:
                model[head]['losses']['own'] = dict(type=loss)

    # The decoder of one layer would not use all of its parameters.
    return small_system('qd_detr', change=change)


def test_a_sound_component_passes():
    findings = check_model(build, 'fusion')
    assert [finding for finding in findings if not finding.passed] == []
    assert len({finding.name for finding in findings}) == len(findings) == 9
    assert all(finding.text.endswith('.') for finding in findings)


@pytest.mark.parametrize('broken', FUSIONS, ids=lambda cls: cls.__name__)
def test_a_broken_fusion_is_named(broken):
    assert FUSIONS[broken](checks.shaken(build())).passed
    finding = FUSIONS[broken](checks.shaken(build(broken.__name__)))
    assert finding.culprits and 'fusion.own' in finding.text
    assert finding.culprits[0].startswith('fusion.own')


@pytest.mark.parametrize('broken', LOSSES, ids=lambda cls: cls.__name__)
def test_a_broken_loss_is_named(broken):
    finding = checks.losses(checks.shaken(build(loss=broken.__name__)))
    assert finding.culprits == (f'{LOSSES[broken]}.losses.own',)


def test_a_dead_parameter_and_hidden_state_are_named():
    assert checks.gradients(build('DeadParameter')).culprits == ('fusion.own.forgotten',)
    hidden = partial(build, 'NotInTheStateDict')
    finding = checks.round_trip(checks.shaken(hidden()), hidden)
    assert finding.culprits == ('fusion.own',)


def test_one_component_is_judged_alone():
    model = build('OverPadding')
    whole = checks.padding(checks.shaken(model))
    for name in ('fusion', 'fusion.own', 'model.fusion', 'OverPadding'):
        assert checks.paths_of(model, name) == ('fusion.own',)
        assert not checks.judged(whole, checks.paths_of(model, name)).passed
    other = checks.judged(whole, checks.paths_of(model, 'encoder'))
    assert other.passed and 'fusion.own' in other.text
    assert checks.paths_of(model, 'NegativePairLoss') == ('saliency_head.losses.negative',)
    with pytest.raises(ConfigError, match='did you mean OverPadding'):
        checks.paths_of(model, 'OverPading')
