# SPDX-License-Identifier: Apache-2.0
"""What a run takes from a checkpoint: known fields of known types, and nothing else.

A file that holds no code can still do harm with values that somebody else trusts: MMEngine executes
a config text, deletes the files that a list of epochs names, and lets the state of a scheduler
replace its methods. So a checkpoint is rebuilt here field by field before anything is changed.
"""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import torch
from mmengine.hooks import EMAHook
from mmengine.logging import HistoryBuffer
from torch import Tensor

from vtg.utils import CheckpointError

from .fields import FLOATS, LARGEST, FieldReader, tensor_fault
from .resume_optim import optimizer_state, scheduler_states

_LARGEST_SEED = 2**32 - 1
_TEXTS = ('best_by', 'cfg', 'experiment_name', 'mmengine_version', 'resume_parts', 'time')
_LOGGED = ('train/', 'val/', 'test/')
_RESERVED = ('step', 'iter', 'epoch')  # names that MMEngine adds to every logged line


def plain_meta(checkpoint: Mapping[str, Any], path: Any) -> dict[str, Any]:
    """Return the known fields of ``meta``; texts of it are for people, never to be executed.

    Raises:
        CheckpointError: A field is of another type.
    """
    read = FieldReader(path)
    saved = read.mapping(checkpoint.get('meta', {}), 'meta')
    meta: dict[str, Any] = {}
    for name in ('epoch', 'iter', 'max_epochs'):
        if name in saved:
            meta[name] = read.whole(saved[name], f'meta.{name}')
    if saved.get('seed') is not None:
        meta['seed'] = read.whole(saved['seed'], 'meta.seed', _LARGEST_SEED)
    for name in _TEXTS:
        if name in saved:
            meta[name] = read.text(saved[name], f'meta.{name}')
    if saved.get('answering') is not None:
        meta['answering'] = _answering(read, read.mapping(saved['answering'], 'meta.answering'))
    if isinstance(saved.get('dataset_meta'), Mapping) and _is_plain(saved['dataset_meta']):
        meta['dataset_meta'] = dict(saved['dataset_meta'])
    return meta


def _answering(read: FieldReader, saved: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of :class:`vtg.structures.Answering`."""
    numbers = {
        name: read.number(saved.get(name), f'meta.answering.{name}')
        for name in ('threshold', 'slope', 'intercept')
        if name == 'threshold' or saved.get(name) is not None
    }
    texts = {
        name: read.text(saved[name], f'meta.answering.{name}')
        for name in ('chosen_by', 'split')
        if name in saved
    }
    return numbers | texts


def resumable_state(checkpoint: Mapping[str, Any], runner: Any, path: Any) -> dict[str, Any]:
    """Return what ``runner`` goes on from, in place of what the file holds.

    Args:
        checkpoint: The content of the file; its weights are checked by ``check_fit``.
        runner: Its optimizer, schedulers and hooks are built; it is not changed.
        path: The file, for messages.

    Returns:
        ``meta``, ``message_hub``, ``optimizer``, and ``param_schedulers`` and ``ema_state_dict``
        where the run has them.

    Raises:
        CheckpointError: Something is missing, of another type, or no number.
    """
    saved_schedule = runner.cfg.get('resume_schedule', 'saved') != 'new'
    averaging = [hook for hook in runner.hooks if isinstance(hook, EMAHook)]
    needed = ['meta', 'message_hub', 'optimizer']
    needed += ['param_schedulers'] if runner.param_schedulers and saved_schedule else []
    needed += ['ema_state_dict'] if averaging else []
    missing = [key for key in needed if key not in checkpoint]
    if missing:
        raise CheckpointError(
            f'{path} cannot be resumed because it holds no {" and no ".join(missing)} (best '
            'checkpoints hold weights only); resume from an epoch_N.pth file, or start a new run '
            'from its weights with load_from.'
        )
    read = FieldReader(path)
    meta = plain_meta(checkpoint, path)
    for name in ('epoch', 'iter'):
        if name not in meta:
            read.refuse(f'meta.{name}', None, 'a whole number')
    if meta['epoch'] > runner.max_epochs:
        raise CheckpointError(
            f'{path} was made after epoch {meta["epoch"]}, but train_cfg.max_epochs is '
            f'{runner.max_epochs}; resume with the settings of that run.'
        )
    state = {'meta': meta, 'message_hub': _hub(checkpoint['message_hub'], read)}
    state['optimizer'] = optimizer_state(
        checkpoint['optimizer'], runner.optim_wrapper, read, meta['iter']
    )
    if 'param_schedulers' in needed:
        state['param_schedulers'] = scheduler_states(
            checkpoint['param_schedulers'], runner.param_schedulers, read
        )
    if averaging:
        averages = read.mapping(checkpoint['ema_state_dict'], 'ema_state_dict')
        state['ema_state_dict'] = dict(averages)
    elif 'ema_state_dict' in checkpoint:
        raise CheckpointError(
            f'{path} holds averaged weights, but the config has no EMA hook; resume with '
            'default_hooks.ema of that run, or start a new run with load_from.'
        )
    return state


def _hub(saved: Any, read: FieldReader) -> dict[str, Any]:
    """Histories of logged values, the best score so far, and which files belong to the run."""
    saved = read.mapping(saved, 'message_hub')
    place = 'message_hub.log_scalars'
    scalars = {}
    for name, value in read.mapping(saved.get('log_scalars'), place).items():
        short = name.partition('/')[2]
        if not name.startswith(_LOGGED) or not name.isprintable() or len(name) > 200:
            read.refuse(f'a name in {place}', name, 'train/..., val/... or test/...')
        if not short or short in _RESERVED:
            read.refuse(f'a name in {place}', name, 'the name of a value')
        scalars[name] = _history(value, f'{place}.{name}', read)
    info: dict[str, Any] = {}
    place = 'message_hub.runtime_info'
    for name, value in read.mapping(saved.get('runtime_info'), place).items():
        here = f'{place}.{name}'
        if name.startswith('best_score'):
            info[name] = read.number(value, here)
        elif name.startswith('best_ckpt'):
            # Only the name: the folder may have been moved, and others are not this run's.
            info[name] = value and PurePath(read.text(value, here)).name
            if value and not (info[name].startswith('best_') and info[name].isprintable()):
                read.refuse(here, value, 'the name of a best_... file')
        elif name == 'last_ckpt':
            info[name] = PurePath(read.text(value, here)).name
        elif name == 'keep_ckpt_ids':
            info[name] = [read.whole(item, here) for item in read.sequence(value, here)]
        elif name == 'validated_epoch':
            info[name] = read.whole(value, here)
    resumed = dict.fromkeys([*scalars, *info], True)
    return {'log_scalars': scalars, 'runtime_info': info, 'resumed_keys': resumed}


def _history(value: Any, place: str, read: FieldReader) -> HistoryBuffer:
    value = read.mapping(value, place)
    parts = read.sequence(value.get('__history__'), place, 2)
    for part in parts:
        known = isinstance(part, Tensor) and part.dtype in (*FLOATS, torch.int32, torch.int64)
        if not known or part.dim() != 1 or tensor_fault(part, part, finite=False):
            read.refuse(place, part, 'a row of numbers')
    if len(parts[0]) != len(parts[1]):
        read.refuse(place, parts[1], f'{len(parts[0])} numbers')
    length = max(read.whole(value.get('max_length'), f'{place}.max_length', 10**7), 1)
    log, count = (
        (part.double() if part.is_floating_point() else part)[-length:].cpu().numpy()
        for part in parts
    )
    return HistoryBuffer(log, count, max_length=length)


def _is_plain(value: Any, depth: int = 4) -> bool:
    if isinstance(value, Mapping | list | tuple) and depth:
        items = [*value, *value.values()] if isinstance(value, Mapping) else value
        return all(_is_plain(item, depth - 1) for item in items)
    return value is None or type(value) in (str, bool, float) or (
        type(value) is int and abs(value) < LARGEST
    )  # fmt: skip
