# SPDX-License-Identifier: Apache-2.0
"""Logged values, read from the device together and kept for a while only."""

from collections.abc import Mapping
from typing import Any

import torch
from mmengine.hooks import LoggerHook, RuntimeInfoHook
from torch import Tensor

from vtg.registry import HOOKS


@HOOKS.register_module()
class SparseRuntimeInfoHook(RuntimeInfoHook):
    """MMEngine's RuntimeInfoHook with one transfer per ``interval`` steps.

    MMEngine reads every logged value from the device in every step and keeps it forever. This hook
    leaves them on the device until the logger needs them, and bounds the histories.

    Args:
        interval: Steps between two transfers; None takes the interval of the logger. The end of an
            epoch is always one.
        keep: Entries kept per history.
    """

    def __init__(self, interval: int | None = None, keep: int = 1000) -> None:
        super().__init__()
        self.interval = interval
        self.keep = keep
        self._pending: list[tuple[list[str], Tensor]] = []

    def before_train(self, runner: Any) -> None:
        """Take the interval of the logger where none is given."""
        super().before_train(runner)
        if self.interval is None:
            loggers = [hook for hook in runner.hooks if isinstance(hook, LoggerHook)]
            self.interval = min((hook.interval for hook in loggers), default=50)

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Note the step; the learning rates where a transfer is due."""
        if self._due(runner, batch_idx):
            super().before_train_iter(runner, batch_idx, data_batch)  # learning rates too
        else:
            runner.message_hub.update_info('iter', runner.iter)

    def after_train_iter(
        self,
        runner: Any,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep the values on the device; read all that wait where a transfer is due."""
        values = dict(outputs or {})
        norm = getattr(runner.optim_wrapper, 'grad_norm', None)
        if norm is not None:
            values['grad_norm'] = norm
        tensors = {
            name: value.detach() for name, value in values.items() if isinstance(value, Tensor)
        }
        if tensors:
            self._pending.append((list(tensors), torch.stack(list(tensors.values()))))
        for name, value in values.items():
            if name not in tensors:
                runner.message_hub.update_scalar(f'train/{name}', value)
        if self._due(runner, batch_idx):
            self._flush(runner.message_hub)

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Bound the histories that are stored."""
        for history in checkpoint['message_hub']['log_scalars'].values():
            history.max_length = self.keep

    def _due(self, runner: Any, batch_idx: int) -> bool:
        return self.every_n_inner_iters(batch_idx, self.interval) or self.end_of_epoch(
            runner.train_dataloader, batch_idx
        )

    def _flush(self, hub: Any) -> None:
        pending, self._pending = self._pending, []
        if pending:
            values = iter(torch.cat([stacked for _, stacked in pending]).tolist())
            for names, _ in pending:
                for name in names:
                    hub.update_scalar(f'train/{name}', next(values))
        # A history cuts itself to its own limit at the next update.
        for history in hub.log_scalars.values():
            history.max_length = self.keep
