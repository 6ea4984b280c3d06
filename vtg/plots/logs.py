# SPDX-License-Identifier: Apache-2.0
"""Losses and metrics of a training over its epochs, read from logs of several code bases.

Read are run folders of this toolbox (MMEngine's ``vis_data/scalars.json``), and the
``train.log.txt`` and ``eval.log.txt`` of Moment-DETR and its descendants. Names are those of this
toolbox.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vtg.utils import ConfigError, DataError, is_number, nearest_names
from vtg.utils.io import parse_json, read_json_lines, read_text

from .figure import LARGEST

OFFICIAL = {'loss_overall': 'loss'}
"""Names of the official logs that mean what another one means here. Their other loss terms are
weighted as ours are, and have our names: in three of four published logs they sum to
``loss_overall`` to the last digit; TaskWeave adds the weights that it learns."""
SUMS = {
    'loss_saliency': r'loss_(saliency|attention)_(?!.*_\d+$).+',
    'loss_ms_align': r'loss_moment_(sentence|dummy|clips)',
    'loss_orthogonal_dummy': r'loss_(dummy|prompt)_orthogonality',
    'loss_distill': r'loss_distillation',
}
"""Terms of the official logs, and ours that sum to them."""
_NO_CURVES = ('epoch', 'iter', 'step', 'data_time', 'time', 'memory')
_LINE = re.compile(
    r'(?P<time>\d{4}(?:_\d\d){5}) \[Epoch\] (?P<epoch>-?\d{1,9})'
    r'(?: \[Loss\] (?P<losses>.*?))?(?: \[Metrics\] (?P<metrics>\{.*))?'
)
_TERM = re.compile(r'(\S+) (\S+)')
_FORMS = (
    'a run folder (with vis_data/scalars.json below it, or train.log.txt and eval.log.txt), a '
    'scalars.json, or a *.log.txt, plain or .gz'
)


@dataclass(frozen=True)
class Curve:
    """Values over ``epochs``, finished ones: 1 is the end of the first. In steps where a run has no
    epochs."""

    epochs: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class RunLog:
    """What a run wrote.

    Attributes:
        name: For legends.
        train: Curves of training by name: ``loss``, its terms, ``lr``, ``grad_norm``.
        val: Curves of validation by name: metrics without the prefix of their evaluator, and losses
            where they were computed.
        files: What was read.
        unit: ``'epoch'``, or ``'step'`` of a run that has no epochs.
    """

    name: str
    train: Mapping[str, Curve] = field(default_factory=dict)
    val: Mapping[str, Curve] = field(default_factory=dict)
    files: Sequence[Path] = ()
    unit: str = 'epoch'

    def find(self, name: str) -> tuple[Curve | None, Curve | None]:
        """The curve of training and that of validation; a term that the run splits is the sum of
        its parts (:data:`SUMS`)."""
        return _found(self.train, name), _found(self.val, name)

    def names(self) -> list[str]:
        """All names, those of training first."""
        return list(dict.fromkeys([*self.train, *self.val]))


def _found(curves: Mapping[str, Curve], name: str) -> Curve | None:
    if name in curves or name not in SUMS:
        return curves.get(name)
    parts = [curve for key, curve in curves.items() if re.fullmatch(SUMS[name], key)]
    if not parts or any(not np.array_equal(one.epochs, parts[0].epochs) for one in parts):
        return None
    return Curve(parts[0].epochs, np.sum([one.values for one in parts], axis=0))


def read_runs(texts: Sequence[str]) -> list[RunLog]:
    """Read ``[NAME=]PATH``, see :func:`read_run`; names that two share get a number.

    Raises:
        ConfigError, DataError: See :func:`read_run`.
    """
    runs: list[RunLog] = []
    for text in texts:
        name, equals, path = text.partition('=')
        if not equals or Path(text).exists():
            name, path = '', text
        run = read_run(path, name)
        taken = sum(re.fullmatch(rf'{re.escape(run.name)}( \(\d+\))?', r.name) is not None
                    for r in runs)  # fmt: skip
        own = f'{run.name} ({taken + 1})' if taken else run.name
        runs.append(RunLog(own, run.train, run.val, run.files, run.unit))
    return runs


def read_run(path: str | Path, name: str = '') -> RunLog:
    """Read the logs of a run.

    Args:
        path: A run folder of this toolbox, a folder with official logs, or one of these files,
            plain or ``.gz``.
        name: For legends; by default that of the folder.

    Raises:
        ConfigError: There is nothing, or no log.
        DataError: A log cannot be read, or holds no numbers.
    """
    path = Path(path)
    if not path.exists():
        raise ConfigError(f'{path} does not exist; expected {_FORMS}.')
    folder = path if path.is_dir() else path.parent
    name = name or _name_of(folder)
    files = [path] if path.is_file() else sorted(path.glob('**/vis_data/scalars.json'))
    if path.is_dir() and not files:
        files = [file for pattern in ('*train.log.txt*', '*eval.log.txt*', 'scalars.json')
                 for file in sorted(path.glob(pattern))]  # fmt: skip
    if not files:
        raise ConfigError(f'{path} holds no log of a training; expected {_FORMS}.')
    if all(re.search(r'\.txt(\.gz)?$', file.name) for file in files):
        run = _read_official(name, files)
    else:
        run = _read_scalars(name, files)
    if not run.train and not run.val:
        raise DataError(f'{files[0]} holds no losses and no metrics; was the run stopped at once?')
    return run


def _name_of(folder: Path) -> str:
    """The run folder of ``<run>/<time>/vis_data``."""
    parts = folder.resolve().parts
    while len(parts) > 1 and re.fullmatch(r'vis_data|\d{8}_\d{6}', parts[-1]):
        parts = parts[:-1]
    return parts[-1]


class _Points:
    """Points of curves in the order of a log; a run that went on from an earlier checkpoint
    replaces what lies behind it."""

    def __init__(self) -> None:
        self.lists: dict[str, list[tuple[float, float]]] = {}

    def add(self, place: float, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            if abs(value) > LARGEST:
                value = math.inf
            points = self.lists.setdefault(name, [])
            while points and points[-1][0] >= place:
                points.pop()
            points.append((place, float(value)))

    def curves(self, scale: float = 1.0) -> dict[str, Curve]:
        made = {}
        for name, points in self.lists.items():
            table = np.array(points)
            if np.isfinite(table[:, 1]).any():
                made[name] = Curve(table[:, 0] * scale, table[:, 1])
        return made


def _read_scalars(name: str, files: Sequence[Path]) -> RunLog:
    train, val, per_epoch = _Points(), _Points(), 0.0
    for file in files:
        lines = list(read_json_lines(file))
        for index, (number, record, problem) in enumerate(lines):
            if record is None:
                # A killed run leaves half a line.
                if index == len(lines) - 1:
                    break
                raise DataError(f'{file}, line {number}: {problem}')
            step = record.get('step', record.get('iter'))
            if not is_number(step, 0, LARGEST):
                continue
            values = {key: v for key, v in record.items() if key not in _NO_CURVES}
            if any(key == 'lr' or key.startswith('loss') for key in values):
                if is_number(record.get('epoch'), 1e-9, LARGEST):
                    # The last line of an epoch tells how many steps it has.
                    per_epoch = max(per_epoch, step / record['epoch'])
                train.add(step, values)
            else:
                val.add(step, _without_prefix(values))
    scale = 1 / per_epoch if per_epoch else 1.0
    unit = 'epoch' if per_epoch else 'step'
    return RunLog(name, train.curves(scale), val.curves(scale), files, unit)


def _without_prefix(values: Mapping[str, Any]) -> dict[str, Any]:
    """Metrics without the name of their evaluator, where that does not make two of them one."""
    short = [key.rpartition('/')[2] for key in values]
    return {
        one if short.count(one) == 1 else key: value
        for one, (key, value) in zip(short, values.items())
    }


def _read_official(name: str, files: Sequence[Path]) -> RunLog:
    train, val = _Points(), _Points()
    for file in files:
        rows = [_row(file, number, line) for number, line in _lines(file)]
        first = _first_epoch([epoch for epoch, _, metrics in rows if metrics])
        for epoch, losses, metrics in rows:
            if metrics:
                val.add(epoch + 1 - first, {**losses, **metrics})
            else:
                train.add(epoch, losses)
    return RunLog(name, train.curves(), val.curves(), files)


def _lines(file: Path) -> Iterable[tuple[int, str]]:
    lines = read_text(file).splitlines()
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _row(file: Path, number: int, line: str) -> tuple[int, dict[str, float], dict[str, Any]]:
    """Epoch as it is written, losses and metrics of a line."""
    match = _LINE.fullmatch(line.strip())
    if match is None:
        raise DataError(
            f'{file}, line {number} is no line of a train.log.txt or eval.log.txt; expected '
            'YYYY_MM_DD_HH_MM_SS [Epoch] 001 [Loss] name value ... or [Metrics] {...}.'
        )
    losses: dict[str, float] = {}
    for term, value in _TERM.findall(match['losses'] or ''):
        try:
            losses[OFFICIAL.get(term, term)] = float(value)
        except ValueError:
            raise DataError(f'{file}, line {number}: {term} is {value!r}, no number.') from None
    metrics: dict[str, Any] = {}
    if match['metrics']:
        try:
            found = parse_json(match['metrics'])
        except ValueError as error:
            raise DataError(f'{file}, line {number}: the metrics are {error}.') from None
        brief = found.get('brief', found)
        metrics = brief if isinstance(brief, dict) else {}
    return int(match['epoch']), losses, metrics


def _first_epoch(epochs: Sequence[int]) -> int:
    """The number that a log of validations gives to the first epoch: 0 in the official code, which
    evaluates every n epochs and so begins with n - 1; 1 where it begins with n."""
    if len(epochs) < 2:
        return 0
    return 1 if epochs[0] == epochs[1] - epochs[0] else 0


def unknown_name(name: str, runs: Sequence[RunLog]) -> ConfigError:
    """The error that no run has a curve of this name."""
    known = list(dict.fromkeys(key for run in runs for key in run.names()))
    close = nearest_names(name, known)
    hint = f'did you mean {" or ".join(close)}?' if close else f'there are {", ".join(known[:12])}.'
    return ConfigError(f'no run has a curve {name!r}; {hint}')
