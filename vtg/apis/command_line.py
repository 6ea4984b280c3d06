# SPDX-License-Identifier: Apache-2.0
"""The command lines of ``tools/``; imports nothing heavy, so that a slip is answered at once."""

import argparse
import difflib
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from vtg.utils import ConfigError, nearest_names, printable
from vtg.utils.threads import prepare_threads

# As similar as a slip of the keyboard.
_SLIP = 0.75


class ArgumentParser(argparse.ArgumentParser):
    """argparse's parser; mistakes are one sentence, and status 2.

    An option that the tool does not have, but the config, is answered with the override that is
    meant: ``--epochs 3`` with ``--cfg-options train_cfg.max_epochs=3``.
    """

    def add_overrides(self, text: str = 'override config values; +KEY=VALUE adds a key') -> None:
        """Add ``--cfg-options``."""
        self.add_argument(
            '--cfg-options', nargs='+', action='extend', default=[], metavar='KEY=VALUE', help=text
        )

    def add_amp(self) -> None:
        """Add ``--amp`` of the tools that predict."""
        self.add_argument(
            '--amp', choices=('bf16', 'fp16'), help='half precision; fp16 on a GPU only'
        )

    def add_threads(self) -> None:
        """Add ``--threads``; threads then wait passively, see :mod:`vtg.utils.threads`."""
        self.add_argument(
            '--threads', type=whole_number(1, 1025), metavar='N',
            help='CPU threads (default: by the size of the model and the load of the machine)',
        )  # fmt: skip

    def add_subset(self) -> None:
        """Add ``--rehearsal`` and ``--limit``, for a try before the features are there."""
        self.add_argument(
            '--rehearsal', action='store_true',
            help='simulated features of the same widths in place of those in files',
        )  # fmt: skip
        self.add_argument(
            '--limit', type=whole_number(), metavar='N', help='the first N samples of every split'
        )

    def add_short_forms(self) -> None:
        """Add short forms of ``--cfg-options``; see :data:`SHORT_FORMS`."""
        for name, (key, kind) in SHORT_FORMS.items():
            self.add_argument(f'--{name}', type=kind, metavar='N', help=f'short for {key}=N')
        self.add_argument(
            '--tensorboard', action='store_true', help='write curves for TensorBoard as well'
        )

    def add_verbose(self) -> None:
        """Add ``--verbose``."""
        self.add_argument(
            '--verbose', action='store_true',
            help='print the whole log (environment, config, every step) as its file has it',
        )  # fmt: skip

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """See argparse."""
        words = list(map(str, sys.argv[1:] if args is None else args))
        found, unknown = self.parse_known_args(args, namespace)
        if unknown:
            self.error(self._about(unknown, words))
        if '--threads' in self._option_string_actions:
            prepare_threads(found.threads)
        if '--tensorboard' in self._option_string_actions:
            found.cfg_options = [*_spelled_out(found), *found.cfg_options]
        return found

    def error(self, message: str) -> NoReturn:
        """End the program with one sentence."""
        text = printable(' '.join(message.split()))
        if len(text) > 1000:
            text = f'{text[:1000]}...'
        text = text if text.endswith(('.', '?')) else f'{text}.'
        self.exit(2, f'error: {text}\n')

    def _about(self, unknown: Sequence[str], words: Sequence[str]) -> str:
        flag = next((word for word in unknown if word.startswith('-')), None)
        if flag is None:
            return f'{self.prog} has no use for {" ".join(unknown[:3])}; see {self.prog} --help.'
        name, _, value = flag.partition('=')
        if not value:
            value = _value_behind(flag, words)
        said = f'{name} is no option of {self.prog}'
        options = [option for option in self._option_string_actions if option.startswith('--')]
        close = difflib.get_close_matches(name, options, n=1, cutoff=_SLIP)
        if close:
            return f'{said}; did you mean {close[0]}?'
        place = self._place(name, words)
        if place:
            return f'{said}; write --cfg-options {place}={value or "VALUE"}.'
        near = nearest_names(name, options, 1)
        return f'{said}; did you mean {near[0]}?' if near else f'{said}; see {self.prog} --help.'

    def _place(self, flag: str, words: Sequence[str]) -> str | None:
        """Where the config has a setting of this name."""
        config = next((w for w in words if w.endswith('.py') and Path(w).is_file()), None)
        if '--cfg-options' not in self._option_string_actions or config is None:
            return None
        from vtg.engine.config import load_config, meant_places

        try:
            places = meant_places(load_config(config), flag.lstrip('-').replace('-', '_'))
        except ConfigError:
            return None
        return places[0] if places else None


def _spelled_out(found: argparse.Namespace) -> list[str]:
    given = {key: getattr(found, name.replace('-', '_')) for name, (key, _) in SHORT_FORMS.items()}
    options = [f'{key}={value}' for key, value in given.items() if value is not None]
    return [*options, _TENSORBOARD] if found.tensorboard else options


def _value_behind(flag: str, words: Sequence[str]) -> str:
    behind = words[words.index(flag) + 1 :] if flag in words else []
    return '' if not behind or behind[0].startswith('--') or _is_file(behind[0]) else behind[0]


def _is_file(word: str) -> bool:
    return word.endswith('.py')


def whole_number(least: int = 1, below: float = math.inf) -> Callable[[str], int]:
    """Type of an option that takes a whole number, at least ``least``."""

    def parse(text: str) -> int:
        # Longer ones are refused by Python itself.
        value = int(text) if text.lstrip('-').isdecimal() and len(text) < 20 else None
        if value is None or not least <= value < below:
            limit = '' if math.isinf(below) else f' and below {below}'
            raise argparse.ArgumentTypeError(
                f'{text[:50]!r} is no whole number, at least {least}{limit}'
            )
        return value

    return parse


def number(least: float = 0, most: float = math.inf) -> Callable[[str], float]:
    """Type of an option that takes a number from ``least`` to ``most``."""

    def parse(text: str) -> float:
        value = _number(text)
        if not (least <= value <= most and math.isfinite(value)):
            limit = '' if math.isinf(most) else f' and at most {most}'
            raise argparse.ArgumentTypeError(f'{text[:50]!r} is no number, at least {least}{limit}')
        return value

    return parse


def seconds(text: str) -> float:
    """Type of an option that takes a length of time."""
    value = _number(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f'{text[:50]!r} is no number above 0')
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def seeds(text: str) -> list[int]:
    """Type of an option that takes seeds with commas between."""
    return [seed(part) for part in text.split(',')]


seed = whole_number(0, 2**32)


SHORT_FORMS: dict[str, tuple[str, Callable[[str], Any]]] = {
    'epochs': ('train_cfg.max_epochs', whole_number()),
    'lr': ('optim_wrapper.optimizer.lr', number()),
    'batch-size': ('train_dataloader.batch_size', whole_number()),
}
_TENSORBOARD = (
    'visualizer={"vis_backends": [{"type": "LocalVisBackend"}, {"type": "TensorboardVisBackend"}]}'
)
