# SPDX-License-Identifier: Apache-2.0
"""The epoch counter of the model."""

from typing import Any

from mmengine.hooks import Hook

from vtg.registry import HOOKS
from vtg.structures import Progress

from ..checkpoint import restore_progress


@HOOKS.register_module()
class ProgressHook(Hook):
    """Sets ``model.progress`` to the zero-based epoch being trained.

    It stays the same during the validation that follows. Checkpoints carry it, so that parts which
    training switches on late are in the same state when the weights are evaluated later.
    """

    priority = 'VERY_HIGH'

    def before_train_epoch(self, runner: Any) -> None:
        """Tell the model the epoch."""
        runner.bare_model.progress = Progress(runner.epoch, runner.max_epochs)

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Store the number of epochs beside the epoch."""
        checkpoint['meta']['max_epochs'] = runner.max_epochs

    def after_load_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Tell the model the epoch of its weights."""
        meta, state = checkpoint.get('meta', {}), checkpoint.get('state_dict', {})
        restore_progress(runner.bare_model, meta, state)
