# SPDX-License-Identifier: Apache-2.0
"""Both passes as one batch give what each gives alone, and only needed negatives are computed."""

import copy

import pytest
import torch

import vtg.models.grounder as grounder
from tests.helpers.systems import EVERY, WIDTH, read, small_system
from vtg.models.training_pass import needed_rows, plan

WITH_NEGATIVES = [name for name in EVERY if read(name).get('negatives')]
SHARED_STAGES = {
    'qd_detr': ('fusion', 'encoder', 'saliency_head'),
    'sgdetr': ('fusion', 'encoder', 'saliency_head'),
    'taskweave': ('fusion', 'encoder', 'neck'),
    # The mask that the released code lays out wrongly depends on the size of the batch.
    'qd_detr/qvhl_official': ('encoder', 'saliency_head'),
}


def losses_and_gradients(model, batch):
    model.zero_grad()
    start = copy.deepcopy(model.state_dict())
    torch.manual_seed(1)  # denoising draws spans
    losses = model(**model.data_preprocessor(batch, True), mode='loss')
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    model.load_state_dict(start)  # a step may move a memory
    return losses, {n: p.grad for n, p in model.named_parameters() if p.grad is not None}


def assert_same(ours, theirs, tolerance):
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        assert torch.allclose(value, theirs[name], rtol=tolerance, atol=tolerance), name


def split_passes(model, monkeypatch):
    monkeypatch.setattr(
        model, 'run_training', lambda state: model.with_negatives(model.run(state, model.stages))
    )


@pytest.mark.parametrize('name', WITH_NEGATIVES)
def test_joint_passes_are_both_passes(name, toy, monkeypatch):
    torch.manual_seed(0)
    model = small_system(name, noise=False).train()
    assert model.training_pass.joint == SHARED_STAGES.get(name, model.training_pass.joint) != ()
    batch = toy.batch(video_dim=WIDTH, text_dim=WIDTH, sources=[0, 1, 1])
    joint = losses_and_gradients(model, batch)
    split_passes(model, monkeypatch)
    apart = losses_and_gradients(model, batch)
    assert_same(joint[0], apart[0], 1e-6)
    assert_same(joint[1], apart[1], 1e-5)


@pytest.mark.parametrize('name', WITH_NEGATIVES)
@pytest.mark.parametrize('sources', [[0, 0, 0, 0, 1, 0], [0] * 6])
def test_only_true_negatives_run(name, sources, toy, monkeypatch):
    torch.manual_seed(0)
    model = small_system(name, noise=False).train()
    if model.same_source:
        pytest.skip('all pairs count as negatives')
    if model.partner and model.slots[model.partner].choosing(model.progress):
        pytest.skip('a component chooses the pairs')
    clips, words = (12, 7, 9, 8, 12, 5), (5, 1, 4, 2, 3, 5)
    batch = toy.batch(clips, words, video_dim=WIDTH, text_dim=WIDTH, sources=sources)
    sizes = []
    hook = model.slots['encoder'].register_forward_pre_hook(
        lambda _, args: sizes.append(len(args[0].duration))
    )
    some = losses_and_gradients(model, batch)
    needed = max(1, 2 * (1 in sources)) if model.training_pass.chooses else 6
    assert max(sizes) == 6 + needed
    hook.remove()
    monkeypatch.setattr(grounder, 'needed_rows', lambda valid: None)
    every = losses_and_gradients(model, batch)
    assert_same(some[0], every[0], 1e-6)
    for gradient, other in zip(some[1].values(), every[1].values(), strict=True):
        assert torch.allclose(gradient, other, rtol=1e-5, atol=1e-5)


def test_rows_are_chosen_where_most_pairs_are_none():
    assert needed_rows(torch.tensor([True, False, True, False])) is None
    assert needed_rows(torch.tensor([False, False, True, False])).tolist() == [2]
    assert needed_rows(torch.tensor([False, False])).tolist() == [0]
    assert small_system('qd_detr').training_pass.chooses
    assert not small_system('qd_detr/qvhl_official').training_pass.chooses


def test_a_component_may_refuse(monkeypatch):
    model = small_system('qd_detr')
    monkeypatch.setattr(model.slots['encoder'], 'joint', False)
    passes = plan(model.slots, model.stages, model.negative_stages)
    assert passes.joint == ('fusion',)
    assert passes.negative_after == ('encoder', 'saliency_head')
    assert (*passes.before, *passes.joint, *passes.after) == model.stages
    for name in model.negative_stages:
        monkeypatch.setattr(model.slots[name], 'joint', False)
    assert plan(model.slots, model.stages, model.negative_stages).joint == ()


def test_what_a_later_stage_changes_is_not_shared():
    """A kept field that the main pass sets anew behind the fusion: the negative pass sees that."""
    model = small_system('videolights')
    stages = ('video_projector', 'text_projector', 'embedding', 'fusion', 'refiner')
    assert plan(model.slots, stages, ('fusion',)).joint == ()
