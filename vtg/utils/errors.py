# SPDX-License-Identifier: Apache-2.0
"""The errors a user can cause.

Each carries one sentence that says what is wrong, where, what was expected and what to do. The
tools print that sentence and exit with status 1; everything else is a bug and keeps its traceback.
"""

from collections.abc import Iterable

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


def missing_data(absent: Iterable[str]) -> DataError:
    """The error that names all data that is not there, several things one a line.

    Args:
        absent: What is expected where; repetitions are left out.
    """
    things = list(dict.fromkeys(absent))
    if len(things) == 1:
        return DataError(f'missing data: {things[0]}. docs/data.md says what goes where.')
    listed = '\n'.join(f'  {thing}' for thing in things)
    return DataError(f'missing data:\n{listed}\ndocs/data.md says what goes where.')
