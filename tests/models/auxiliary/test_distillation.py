# SPDX-License-Identifier: Apache-2.0
"""Alignment with a moving teacher and memories of past batches."""

import copy

import pytest
import torch
import torch.nn.functional as F

from vtg.models.auxiliary import MomentumAlignment, MutualPrediction
from vtg.registry import MODELS
from vtg.utils import ConfigError


def projectors(toy):
    found = {}
    for modality, width in (('video', 10), ('text', 8)):
        cfg = dict(type='LinearProjector', in_dim=width, dim=toy.dim, dropout=0.0)
        component = MODELS.build(cfg)
        component.place(f'{modality}_projector', 0)
        found[f'{modality}_projector'] = [component]
    return found


def projected(state, slots):
    for (component,) in slots.values():
        state = state.update(**component(state))
    return state


@pytest.fixture
def setting(toy):
    slots = projectors(toy)
    branch = MomentumAlignment(toy.dim, queue_size=6, momentum=0.9, distillation=0.3, weight=0.5)
    branch.follow(slots)
    return branch, slots, projected(toy.state(), slots)


def vectors(state):
    return {
        name: F.normalize(
            torch.stack([row[m].mean(0) for row, m in zip(tokens, mask)]), dim=-1
        )
        for name, tokens, mask in (
            ('video', state.projected_video, state.video_mask),
            ('text', state.projected_text, state.text_mask),
        )
    }  # fmt: skip


def test_loss_by_hand(setting):
    branch, slots, state = setting
    with torch.no_grad():
        for (component,) in slots.values():
            for parameter in component.parameters():
                parameter.add_(0.3 * torch.randn_like(parameter))
    before = [p.clone() for p in branch.teachers.parameters()]
    online = [p for parts in slots.values() for c in parts for p in c.parameters()]
    expected = [0.9 * old + 0.1 * new for old, new in zip(before, online)]
    queues = {name: getattr(branch, f'{name}_queue').clone() for name in ('video', 'text')}
    state = projected(state, slots)
    loss = branch.loss(state)['loss_align']
    for teacher, wanted in zip(branch.teachers.parameters(), expected):
        torch.testing.assert_close(teacher.detach(), wanted.detach())
    student = vectors(state)
    teacher = vectors(projected(state, branch.teachers))
    total = 0.0
    for one, other in (('video', 'text'), ('text', 'video')):
        bank = torch.cat((teacher[other], queues[other].T))
        for b in range(3):
            wanted = 0.3 * F.softmax(bank @ teacher[one][b] / 0.07, dim=0)
            wanted[b] += 0.7
            total += -(wanted * F.log_softmax(bank @ student[one][b] / 0.07, dim=0)).sum() / 3
    assert loss.item() == pytest.approx(0.5 * total.item() / 2, rel=1e-4)
    # The first places of the memories hold the batch now.
    for name in ('video', 'text'):
        queue = getattr(branch, f'{name}_queue')
        torch.testing.assert_close(queue[:, :3].T, teacher[name].detach(), rtol=1e-5, atol=1e-6)
        assert torch.equal(queue[:, 3:], queues[name][:, 3:])
    assert branch.queue_ptr.item() == 3


def test_gradients_reach_student_and_temperature_alone(setting):
    branch, slots, state = setting
    branch.loss(state)['loss_align'].backward()
    assert branch.temperature.grad.abs() > 0
    assert all(p.grad is None for p in branch.teachers.parameters())
    assert all(p.grad is not None for (c,) in slots.values() for p in c.parameters())


def test_memory_wraps_and_skips_batches_that_do_not_fit(setting):
    branch, _, state = setting
    for expected in (3, 0, 3):
        branch.loss(state)
        assert branch.queue_ptr.item() == expected
    before = branch.video_queue.clone()
    odd = MomentumAlignment(16, queue_size=7)
    odd.follow({})
    odd._remember(vectors(state))
    assert odd.queue_ptr.item() == 0 and odd.steps.item() == 1
    branch.eval().loss(state)
    assert torch.equal(branch.video_queue, before) and branch.steps.item() == 3


def test_a_continued_run_goes_on_as_the_first_would(setting):
    branch, _, state = setting
    branch.loss(state)
    fresh = MomentumAlignment(16, queue_size=6, momentum=0.9, distillation=0.3, weight=0.5)
    fresh.follow(branch._students)
    fresh.load_state_dict(copy.deepcopy(branch.state_dict()))
    torch.testing.assert_close(fresh.loss(state), branch.loss(state))
    for name, value in branch.state_dict().items():
        assert torch.equal(fresh.state_dict()[name], value), name


def test_warm_up_raises_the_share_of_the_teacher(setting):
    branch, _, state = setting
    branch.warmup_steps = 2
    shares = []
    for _ in range(4):
        shares.append(branch._share().item())
        branch.loss(state)
    assert shares == pytest.approx([0.0, 0.15, 0.3, 0.3])


def test_copies_of_a_model_follow_their_own_projectors():
    from systems import small_system

    model = small_system('ld_detr')
    twin = copy.deepcopy(model)
    ((followed,), _) = twin.slots['auxiliary.distillation']._students.values()
    assert followed is twin.slots['video_projector']
    names = [name for name in model.state_dict() if name.startswith('auxiliary.distillation')]
    assert any('teachers.text_projector' in name for name in names)
    assert all(f'auxiliary.distillation.{name}' in names for name in ('video_queue', 'queue_ptr'))


@pytest.mark.parametrize('average_over', ['valid', 'padded'])
def test_mutual_prediction_by_hand(toy, average_over):
    state = toy.state()
    branch = MutualPrediction(toy.dim, weight=0.6, average_over=average_over)
    if average_over == 'valid':
        found = vectors(state)
    else:
        found = {
            name: F.normalize(getattr(state, f'projected_{name}').mean(1), dim=-1)
            for name in ('video', 'text')
        }
    total = sum(
        F.cosine_similarity(branch.map(F.relu(found[one])), found[other]).mean()
        for one, other in (('video', 'text'), ('text', 'video'))
    )
    loss = branch.loss(state)['loss_sim']
    assert loss.item() == pytest.approx(-0.6 * total.item() / 2, rel=1e-4)


def test_an_empty_memory_is_refused():
    with pytest.raises(ConfigError, match='queue_size is 0; expected at least 1'):
        MomentumAlignment(16, queue_size=0)
