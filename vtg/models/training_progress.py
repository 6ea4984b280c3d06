# SPDX-License-Identifier: Apache-2.0
"""Where training stands, as a part of the weights."""

from typing import Any

import torch
from torch import Tensor, nn

from vtg.structures import Progress


class TrainingProgress(nn.Module):
    """Holds :class:`vtg.structures.Progress` in a buffer, so that every state dict carries it.

    Feedback that training switches on late depends on it. A training step reads the copy on the
    host; that is made anew where the buffer may have changed: when weights are loaded, and between
    training and evaluation, where averaged weights come and go. State dicts without it leave it.
    """

    position: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.progress = Progress()
        self.register_buffer('position', torch.tensor((0, 1)))

    def set(self, progress: Progress) -> None:
        """Change buffer and copy."""
        self.progress = progress
        self.position.copy_(torch.tensor((progress.epoch, progress.max_epochs)))

    def train(self, mode: bool = True) -> 'TrainingProgress':
        """See PyTorch."""
        self._read()
        return super().train(mode)

    def _read(self) -> None:
        if not self.position.is_meta:
            epoch, max_epochs = self.position.tolist()
            self.progress = Progress(max(epoch, 0), max(max_epochs, 1))

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        if f'{prefix}position' in state_dict:
            super()._load_from_state_dict(state_dict, prefix, *args)
            self._read()
