# SPDX-License-Identifier: Apache-2.0
"""The errors a user can cause.

Each carries one sentence that says what is wrong, where, what was expected and what to do. The
tools print that sentence and exit with status 1; everything else is a bug and keeps its traceback.
"""

from .text import printable


class VtgError(Exception):
    """Base class of every error caused by the user's input.

    The message may quote files and names as they are: control characters are escaped here.
    """

    def __init__(self, message: object = '') -> None:
        super().__init__(printable(message, keep='\n'))


class ConfigError(VtgError):
    """A config names something unknown or combines parts that do not fit together."""


class DataError(VtgError):
    """An annotation or feature file is missing, unreadable or contradicts itself."""


class CheckpointError(VtgError):
    """A checkpoint is unsafe, unreadable or does not fit the model."""
