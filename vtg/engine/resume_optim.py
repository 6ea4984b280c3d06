# SPDX-License-Identifier: Apache-2.0
"""The state of optimizer and schedulers as a resumed run takes it from a checkpoint."""

import copy
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.optim import OptimWrapperDict
from torch import Tensor

from vtg.utils import CheckpointError

from .fields import LARGEST, FieldReader

# What training changes in a group of the optimizer and in a scheduler; the rest is the config's.
_SCHEDULED = ('lr', 'momentum', 'betas')
_PROGRESS = (
    'last_step', '_global_step', '_last_value', 'best', 'num_bad_epochs', 'cooldown_counter',
)  # fmt: skip


def optimizer_state(saved: Any, wrapper: Any, read: FieldReader, steps: int) -> dict[str, Any]:
    """The state of every parameter; of the settings only what a schedule changes."""
    saved = read.mapping(saved, 'optimizer')
    if isinstance(wrapper, OptimWrapperDict):
        return {
            name: optimizer_state(saved.get(name), part, read, steps)
            for name, part in wrapper.items()
        }
    fresh = wrapper.state_dict()
    _check_groups(saved, fresh, read)
    groups = read.sequence(
        saved.get('param_groups'), 'optimizer.param_groups', len(fresh['param_groups'])
    )
    state: dict[str, Any] = {'param_groups': []}
    for number, (group, own) in enumerate(zip(groups, fresh['param_groups'])):
        place = f'optimizer.param_groups.{number}'
        if read.mapping(group, place).get('params') != own['params']:
            read.refuse(f'{place}.params', group.get('params'), 'the parameters of the model')
        state['param_groups'].append(_settings(group, own, place, read))
    if 'base_param_settings' in fresh:
        own, place = fresh['base_param_settings'], 'optimizer.base_param_settings'
        group = read.mapping(saved.get('base_param_settings'), place)
        state['base_param_settings'] = _settings(group, own, place, read)
    if 'loss_scaler' in fresh:
        scaler = read.mapping(saved.get('loss_scaler'), 'optimizer.loss_scaler')
        state['loss_scaler'] = dict(fresh['loss_scaler'])
        for name in ('scale', '_growth_tracker'):
            state['loss_scaler'][name] = read.number(
                scaler.get(name), f'optimizer.loss_scaler.{name}', 0
            )
    state['state'] = _moments(saved.get('state'), wrapper.optimizer, read, steps)
    return state


def _check_groups(saved: Mapping[str, Any], fresh: Mapping[str, Any], read: FieldReader) -> None:
    """Refuse what was written when every parameter was a group of its own."""
    groups, count = saved.get('param_groups'), len(fresh['param_groups'])
    if isinstance(groups, list) and len(groups) > count:
        raise CheckpointError(
            f'{read.path} holds {len(groups)} groups of parameters, but the optimizer has {count}, '
            'because groups with equal settings are joined now: go on with the version of the '
            'toolbox that wrote it, or set load_from to start a new run from its weights.'
        )


def _settings(
    group: Mapping[str, Any], own: Mapping[str, Any], place: str, read: FieldReader
) -> dict:
    known = [name for name in _SCHEDULED if name in own]
    return {
        **own,
        **{name: read.like(group.get(name), f'{place}.{name}', own[name]) for name in known},
    }


def _moments(
    saved: Any, optimizer: Any, read: FieldReader, steps: int
) -> dict[int, dict[str, Any]]:
    """The running averages of the optimizer, compared with those of a twin after one step."""
    if not isinstance(saved, Mapping):
        read.refuse('optimizer.state', saved, 'a dict')
    expected = _twin_state(optimizer)
    if any(expected.values()) and steps and not saved:
        read.refuse('optimizer.state', saved, 'the state of the parameters')
    state: dict[int, dict[str, Any]] = {}
    for number, values in saved.items():
        place = f'optimizer.state.{number if type(number) is int and number < LARGEST else "?"}'
        if type(number) is not int or number not in expected:
            read.refuse('a key of optimizer.state', number, 'the number of a parameter')
        values, own = read.mapping(values, place), expected[number]
        if values.keys() != own.keys():
            read.refuse(place, sorted(values), f'the fields {", ".join(own)}')
        state[number] = {
            name: read.tensor(value, f'{place}.{name}', own[name])
            if isinstance(own[name], Tensor)
            else value if value is own[name] is None
            else read.number(value, f'{place}.{name}')
            for name, value in values.items()
        }  # fmt: skip
    return state


def _twin_state(optimizer: Any) -> dict[int, dict[str, Any]]:
    """The state that an optimizer of the same kind has after one step without a gradient."""
    twin = copy.deepcopy(optimizer)
    twin.state.clear()
    for group in twin.param_groups:
        for parameter in group['params']:
            parameter.grad = torch.zeros_like(parameter)
    twin.step()
    return twin.state_dict()['state']


def scheduler_states(saved: Any, built: Any, read: FieldReader) -> Any:
    """How far the schedulers are; their settings are those of the config."""
    if isinstance(built, Mapping):
        saved = read.mapping(saved, 'param_schedulers')
        return {
            name: scheduler_states(saved.get(name), items, read) for name, items in built.items()
        }
    states = []
    for number, (item, scheduler) in enumerate(
        zip(read.sequence(saved, 'param_schedulers', len(built)), built)
    ):
        place = f'param_schedulers.{number}'
        item, own = read.mapping(item, place), scheduler.state_dict()
        progress = {
            name: _progress(item.get(name), own[name], f'{place}.{name}', read)
            for name in _PROGRESS
            if name in own
        }
        states.append({**own, **progress})
    return states


def _progress(value: Any, own: Any, place: str, read: FieldReader) -> Any:
    if isinstance(own, list | tuple):
        return read.like(value, place, own)
    return read.whole(value, place) if type(own) is int else read.number(value, place)
