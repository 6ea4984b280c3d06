# SPDX-License-Identifier: Apache-2.0
"""Names the parameters that training does not reach."""

from functools import partial
from typing import Any

from mmengine.hooks import Hook
from mmengine.logging import print_log
from torch import Tensor

from vtg.registry import HOOKS

# Names in the warning; more would hide the rest of the log.
SHOWN = 8


@HOOKS.register_module()
class UnusedParametersHook(Hook):
    """Warns once, after the first epoch, of trainable parameters that got no gradient in it.

    Such parameters belong to a branch that no loss sees: a part that nothing reads, or a loss that
    is switched off. Every parameter is watched until its first gradient only, so that later steps
    cost nothing. ``vtg.models.rehearsal.unused_parameters`` tells more before any training.
    """

    def __init__(self) -> None:
        self._handles: dict[str, Any] = {}

    def before_train(self, runner: Any) -> None:
        """Watch all trainable parameters."""
        for name, parameter in runner.bare_model.named_parameters():
            if parameter.requires_grad:
                self._handles[name] = parameter.register_hook(partial(self._reached, name))

    def _reached(self, name: str, gradient: Tensor) -> None:
        handle = self._handles.pop(name, None)
        if handle is not None:
            handle.remove()

    def after_train_epoch(self, runner: Any) -> None:
        """Name those that are left."""
        names = list(self._handles)
        for name in names:
            self._handles.pop(name).remove()
        if names:
            more = f' and {len(names) - SHOWN} more' if len(names) > SHOWN else ''
            print_log(
                f'{len(names)} trainable parameters got no gradient in the first epoch: '
                f'{", ".join(names[:SHOWN])}{more}; no loss depends on them.',
                'current',
                level=30,
            )

    def after_train(self, runner: Any) -> None:
        """Leave nothing behind where no epoch was finished."""
        while self._handles:
            self._handles.popitem()[1].remove()
