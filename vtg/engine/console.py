# SPDX-License-Identifier: Apache-2.0
"""What of a log reaches the terminal; the log file holds everything."""

import logging
import sys
from pathlib import Path

import mmengine
from mmengine.config import Config

from vtg.utils import printable

# The environment, the whole config, the order of hooks, a line per validation: of MMEngine itself.
_MMENGINE = Path(mmengine.__file__).parent
_LOGGING = _MMENGINE / 'logging' / 'logger.py'


class _Stream:
    """Standard output as it is now: a progress bar takes its place for a while."""

    def write(self, text: str) -> None:
        sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


class _Brief(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        text = printable(record.getMessage(), keep='\n').strip()
        return text if record.levelno < logging.WARNING else f'{record.levelname.lower()}: {text}'


def is_brief(record: logging.LogRecord) -> bool:
    """Whether a record is for people at a terminal: a warning, or a note of the toolbox.

    A note with ``extra={'brief': False}`` is for the file, and so is what MMEngine deprecates, of
    which it warns in its own calls.
    """
    if not getattr(record, 'brief', True) or 'will be deprecated' in record.getMessage():
        return False
    if record.levelno >= logging.WARNING:
        return True
    place = Path(record.pathname)
    return place == _LOGGING or _MMENGINE not in place.parents


def print_whole_log(cfg: Config) -> None:
    """Let a run of ``cfg`` print all that it logs, in place."""
    if cfg.get('default_hooks'):
        cfg.default_hooks['console'] = None


def make_brief(logger: logging.Logger) -> None:
    """Let the terminal handlers of a logger print notes and warnings only, without time stamps."""
    for handler in logger.handlers:
        if isinstance(handler, logging.StreamHandler) and not isinstance(
            handler, logging.FileHandler
        ):
            handler.addFilter(is_brief)
            handler.setFormatter(_Brief())
            handler.setStream(_Stream())
