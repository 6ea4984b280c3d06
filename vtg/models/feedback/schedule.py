# SPDX-License-Identifier: Apache-2.0
"""Feedback that training switches on late."""

from vtg.models.base import Feedback
from vtg.structures import Progress
from vtg.utils import ConfigError


class ScheduledFeedback(Feedback):
    """Base class of feedback that acts during a part of training.

    It is on after the epoch counter has passed the share ``start`` of all epochs and until it has
    passed ``stop``: with 200 epochs and the defaults, in the epochs 101 to 200. Evaluation follows
    the epoch of the weights, which checkpoints carry. Weights that carry none, such as converted
    ones, count as the last epoch.

    Args:
        start, stop: Shares of training, from 0 to 1.
    """

    def __init__(self, start: float = 0.5, stop: float = 1.0) -> None:
        super().__init__()
        if not 0 <= start < stop <= 1:
            raise ConfigError(
                f'{type(self).__name__}: expected 0 <= start < stop <= 1, got {start} and {stop}.'
            )
        self.start = start
        self.stop = stop

    def active(self, progress: Progress) -> bool:
        """Whether the feedback acts in the epoch of ``progress``."""
        epoch = progress.epoch + 1  # counted from 1
        # Compared in epochs: a share such as 101 / 200 is not exact.
        return self.start * progress.max_epochs < epoch <= self.stop * progress.max_epochs
