# SPDX-License-Identifier: Apache-2.0
"""Stops a run whose loss or gradient is no number."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from mmengine.hooks import Hook
from torch import Tensor

from vtg.registry import HOOKS
from vtg.utils import VtgError


class NonFiniteLossError(VtgError):
    """A loss or the gradient became NaN or infinite."""


class _Step(NamedTuple):
    epoch: int
    iteration: int
    finite: Tensor  # scalar
    terms: dict[str, Tensor]
    meta: list[Mapping[str, Any]]


@HOOKS.register_module()
class NanGuardHook(Hook):
    """Stops training when a loss term or the gradient norm is NaN or infinite.

    The flags of every step stay on the device and are read together, every ``interval`` steps, at
    the end of an epoch and before a checkpoint is written, so no such weights are ever saved.

    Args:
        interval: Steps between two reads; by default 1 on the CPU and 20 on accelerators.
        max_skipped: Steps in a row that a loss scaler may skip for infinite gradients. It halves
            its scale each time, and begins at 2 ** 16.

    Raises:
        NonFiniteLossError: Names the terms, the step and the samples of its batch; or the steps
            that were skipped.
    """

    def __init__(self, interval: int | None = None, max_skipped: int = 30) -> None:
        self.interval = interval
        self.max_skipped = max_skipped
        self._skipped: Tensor | None = None
        self._pending: list[_Step] = []

    def after_train_iter(
        self,
        runner: Any,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> None:
        """Note on the device which terms are not finite; look at them every ``interval`` steps."""
        if not outputs or 'loss' not in outputs:
            return
        terms = {
            name: value.detach()
            for name, value in outputs.items()
            if 'loss' in name and isinstance(value, Tensor)
        }
        # The total is the sum of the terms: one test covers them all.
        finite = terms['loss'].isfinite()
        wrapper = runner.optim_wrapper
        norm = getattr(wrapper, 'grad_norm', None)
        # With a loss scaler infinite gradients are ordinary: it skips that step.
        if norm is not None and getattr(wrapper, 'scaler', None) is None:
            terms['the gradient norm'] = norm
            finite = finite & norm.isfinite()
        self._skipped = getattr(wrapper, 'skipped', None)
        meta = data_batch.get('meta') if isinstance(data_batch, Mapping) else None
        self._pending.append(_Step(runner.epoch, batch_idx, finite, terms, meta or []))
        interval = self.interval or (1 if finite.device.type == 'cpu' else 20)
        if len(self._pending) >= interval:
            self._check()

    def after_train_epoch(self, runner: Any) -> None:
        """Look at the steps since the last read."""
        self._check()

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Look first, so that no such weights are stored."""
        self._check()

    def _check(self) -> None:
        pending, self._pending = self._pending, []
        if pending and self._skipped is not None and int(self._skipped) >= self.max_skipped:
            raise NonFiniteLossError(
                f'the gradients of {int(self._skipped)} steps in a row were infinite in float16, '
                f'until epoch {pending[-1].epoch + 1}, step {pending[-1].iteration + 1}; train '
                'with --amp bf16 or without --amp.'
            )
        if not pending or torch.stack([step.finite for step in pending]).all():
            return
        step = next(step for step in pending if not step.finite)
        bad = [name for name, value in step.terms.items() if not value.isfinite()]
        terms = [name for name in bad if name not in ('loss', 'the gradient norm')] or bad
        samples = [f'{item.get("qid", "?")} of video {item.get("vid", "?")}' for item in step.meta]
        raise NonFiniteLossError(
            f'{", ".join(terms)} became NaN or infinite in epoch {step.epoch + 1}, step '
            f'{step.iteration + 1} (samples {", ".join(samples) or "without ids"}); check their '
            'annotations and features, or lower the learning rate.'
        )
