# SPDX-License-Identifier: Apache-2.0
"""Averaging of the weights once per epoch."""

from typing import Any

import torch
from mmengine.hooks import EMAHook

from vtg.registry import HOOKS


@HOOKS.register_module()
class EpochEMAHook(EMAHook):
    """``average = decay * average + (1 - decay) * weights`` after every epoch.

    The average starts as a copy of the initial weights and covers every floating entry of the
    state dict; the others are copied (the training of TaskWeave, Yang et al. 2024, released code).
    Evaluation uses the average. As with MMEngine's EMAHook, a checkpoint holds the average under
    ``state_dict`` and the weights being trained under ``ema_state_dict``.

    Args:
        decay: Share of the old average that stays.
    """

    def __init__(self, decay: float = 0.9) -> None:
        super().__init__(
            ema_type='ExponentialMovingAverage',
            strict_load=True,
            momentum=1 - decay,
            update_buffers=True,
        )
        self.decay = decay
        self._restored = False

    def after_load_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Take the average from the checkpoint of a run that goes on."""
        self._restored = runner._resume and 'ema_state_dict' in checkpoint
        super().after_load_checkpoint(runner, checkpoint)

    def before_train(self, runner: Any) -> None:
        """Let the average begin at the weights."""
        # MMEngine copies the model before its weights are initialised or loaded.
        if not self._restored:
            self.ema_model.module.load_state_dict(self.src_model.state_dict())

    def after_train_iter(self, *args: Any, **kwargs: Any) -> None:
        """Averaging happens once per epoch."""

    @torch.no_grad()
    def after_train_epoch(self, runner: Any) -> None:
        """Move the average towards the weights."""
        weights = self.src_model.state_dict()
        for key, average in self.ema_model.module.state_dict().items():
            if average.is_floating_point():
                average.copy_(self.decay * average + (1 - self.decay) * weights[key])
            else:
                average.copy_(weights[key])
        self.ema_model.steps += 1
