# SPDX-License-Identifier: Apache-2.0
"""Refuses to resume a run whose model, optimizer or schedule was changed since."""

import json
from collections.abc import Mapping
from typing import Any

from mmengine.hooks import Hook

from vtg.registry import HOOKS
from vtg.utils import CheckpointError, printable

from ..tree import flatten

_KEY = 'resume_parts'
_EXEMPT = ('train_cfg.val_begin.', 'train_cfg.val_interval.', 'train_cfg.dynamic_intervals.')


@HOOKS.register_module()
class ResumeGuardHook(Hook):
    """Compares the parts of the config that decide the course of training.

    Schedulers store their range in the checkpoint, and the stored one wins: a finished run that is
    resumed with more epochs would go on at its last learning rate. Such a change is refused unless
    the config says ``resume_schedule='new'``, which moves the current schedule to the epoch of the
    checkpoint. The parts are stored as JSON and only ever parsed.

    Raises:
        CheckpointError: On resume, when a part differs; names the values.
    """

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Store what decides the course of training."""
        checkpoint['meta'][_KEY] = json.dumps(resume_parts(runner.cfg, runner.world_size))

    def after_load_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Refuse to resume under another course of training; names what differs."""
        if not runner._resume or runner.cfg.get('resume_schedule', 'saved') == 'new':
            return
        meta = checkpoint['meta']
        if _KEY not in meta:
            runner.logger.warning(
                'The checkpoint does not say with which schedule it was made, so it cannot be '
                'compared with the current one.'
            )
            return
        try:
            saved = _leaves(json.loads(meta[_KEY]))
        except (ValueError, RecursionError):
            raise CheckpointError(
                f'The checkpoint after epoch {meta.get("epoch")} is damaged: meta.{_KEY} is no '
                'JSON text; resume from another epoch_N.pth file.'
            ) from None
        current = _leaves(resume_parts(runner.cfg, runner.world_size))
        changed = [
            _short(f'{key} was {saved.get(key, "not set")} and is {current.get(key, "not set")}')
            for key in sorted({**saved, **current})
            if saved.get(key, _MISSING) != current.get(key, _MISSING)
        ]
        if changed:
            more = f' and {len(changed) - 4} more' if len(changed) > 4 else ''
            raise CheckpointError(
                f'The checkpoint after epoch {meta.get("epoch")} belongs to another training '
                f'({"; ".join(changed[:4])}{more}): resume with the original settings, set '
                'load_from to start a new run from its weights, or set '
                "resume_schedule='new' to go on under the current schedule."
            )


_MISSING = object()


def resume_parts(cfg: Mapping[str, Any], world_size: int) -> dict[str, Any]:
    """Return what decides the course of training, as plain JSON values."""
    parts = {
        name: cfg.get(name)
        for name in ('model', 'optim_wrapper', 'param_scheduler', 'train_cfg', 'auto_scale_lr')
    }
    hooks = [*(cfg.get('default_hooks') or {}).values(), *(cfg.get('custom_hooks') or [])]
    parts['averaging'] = [hook for hook in hooks if hook and 'EMA' in str(hook.get('type'))]
    loader = cfg.get('train_dataloader') or {}
    parts['train_dataloader'] = {
        name: loader[name] for name in ('batch_size', 'batch_sampler') if loader.get(name)
    }
    parts['processes'] = world_size
    return json.loads(json.dumps(parts, default=_name, sort_keys=True))


def _short(text: str) -> str:
    return printable(text if len(text) <= 250 else f'{text[:247]}...')


def _name(value: Any) -> str:
    return getattr(value, '__qualname__', None) or str(value)


def _leaves(parts: dict[str, Any]) -> dict[str, Any]:
    """Return ``{dotted path: leaf}``; the exempt paths are left out."""
    leaves = dict(flatten(parts))
    return {path: leaf for path, leaf in leaves.items() if not f'{path}.'.startswith(_EXEMPT)}
