# SPDX-License-Identifier: Apache-2.0
"""Checkpoints without pickled objects."""

from typing import Any

from mmengine.hooks import Hook

from vtg.registry import HOOKS

from ..checkpoint import to_plain

# Model weights are tensors already; their dict carries module versions that must stay.
_WEIGHTS = ('state_dict', 'ema_state_dict')
# These describe the running process; a resumed run must not show those of the earlier one.
_OF_THE_RUN = ('cfg', 'experiment_name', 'mmengine_version')


@HOOKS.register_module()
class PlainCheckpointHook(Hook):
    """Stores log histories as tensors and NumPy scalars as Python numbers.

    MMEngine pickles its history objects, for which a reader has to allow code. A file written with
    this hook is read by ``torch.load(file, weights_only=True)`` without an allow-list, and a
    resumed run gets its histories back bit for bit. What is read back, and what is not, is decided
    by :mod:`vtg.engine.resume_state`, with or without this hook.
    """

    priority = 'VERY_LOW'  # after every hook that adds something to the checkpoint

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Replace objects by tensors and numbers, in place."""
        for name in _OF_THE_RUN:
            checkpoint['message_hub']['runtime_info'].pop(name, None)
        for key, value in checkpoint.items():
            if key not in _WEIGHTS:
                checkpoint[key] = to_plain(value)
