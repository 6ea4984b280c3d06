# SPDX-License-Identifier: Apache-2.0
"""Moves a collated batch to the device of the model."""

from typing import Any

from mmengine.model import BaseDataPreprocessor

from vtg.registry import MODELS
from vtg.structures import GroundingTargets


@MODELS.register_module()
class GroundingDataPreprocessor(BaseDataPreprocessor):
    """Moves tensors to the device and wraps the targets.

    The targets keep a copy on the host, see :class:`vtg.structures.GroundingTargets`.

    Args:
        non_blocking: Copy pinned memory without waiting for what the device still has to do.
    """

    def __init__(self, non_blocking: bool = True) -> None:
        super().__init__(non_blocking)

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Take a collated batch (see ``docs/data.md``), return the arguments of the model."""
        targets = None
        if training and data.get('targets') is not None:
            targets = GroundingTargets.from_batch(data, self.device)
        inputs = {key: value for key, value in data.items() if key not in ('targets', 'meta')}
        return {**self.cast_data(inputs), 'targets': targets, 'meta': data.get('meta')}
