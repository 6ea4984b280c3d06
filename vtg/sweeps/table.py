# SPDX-License-Identifier: Apache-2.0
"""The results of a sweep as tables."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vtg.utils import (
    csv_text,
    markdown_table,
    markdown_text,
    printable,
    terminal_table,
    write_text,
)

from .grid import Cell

# Shown where nothing else is asked for, as far as a data set has them.
SHOWN = (
    'MR-full-R1@0.5',
    'MR-full-R1@0.7',
    'MR-full-mAP',
    'HL-min-VeryGood-mAP',
    'HL-min-VeryGood-Hit1',
)


@dataclass(frozen=True)
class Row:
    """One cell: values of the grid, per metric the numbers of the finished seeds, and failures."""

    cell: Cell
    seeds: int
    numbers: dict[str, list[float]]
    parameters: int | None
    failures: tuple[tuple[int, str], ...]

    @property
    def finished(self) -> int:
        """How many seeds are finished."""
        return max(map(len, self.numbers.values()), default=0)


@dataclass(frozen=True)
class Summary:
    """Mean and standard deviation (n - 1) over the seeds of every cell."""

    rows: tuple[Row, ...]
    metrics: tuple[str, ...]
    runs: tuple[dict[str, Any], ...]

    @property
    def failures(self) -> list[str]:
        """One line per training that crashed."""
        return [
            f'{row.cell.label}, seed {seed}: {line}'
            for row in self.rows
            for seed, line in row.failures
        ]

    def _header(self) -> list[str]:
        keys = [key for key, _ in self.rows[0].cell.values] if self.rows else []
        return [*_shorten(keys), 'seeds', *self.metrics]

    def _cells(self) -> list[list[str]]:
        return [
            [
                *(value for _, value in row.cell.values),
                f'{row.finished}/{row.seeds}',
                *(_spread(row.numbers.get(metric, [])) for metric in self.metrics),
            ]
            for row in self.rows
        ]

    def table(self) -> str:
        """For a terminal."""
        header = self._header()
        table = terminal_table(header, self._cells(), 'Sweep', len(header) - len(self.metrics))
        return '\n'.join([table, *(f'failed: {printable(line)}' for line in self.failures)])

    def markdown(self) -> str:
        """As a Markdown table."""
        header = self._header()
        lines = [markdown_table(header, self._cells(), len(header) - len(self.metrics))]
        if self.failures:
            lines += ['', 'Failed:', '', *(f'- {markdown_text(line)}' for line in self.failures)]
        return '\n'.join([*lines, ''])

    def csv(self) -> str:
        """One line per cell: every metric with mean and standard deviation."""
        names = list(dict.fromkeys(name for row in self.rows for name in row.numbers))
        keys = [key for key, _ in self.rows[0].cell.values] if self.rows else []
        header = [*keys, 'seeds', 'finished', 'parameters']
        header += [f'{name} {kind}' for name in names for kind in ('mean', 'std')]
        lines: list[list[Any]] = [header]
        for row in self.rows:
            values = [value for _, value in row.cell.values]
            spreads = [mean_and_deviation(row.numbers.get(name, [])) for name in names]
            numbers = [number for spread in spreads for number in spread]
            lines.append([*values, row.seeds, row.finished, row.parameters, *numbers])
        return csv_text(lines)

    def runs_csv(self) -> str:
        """One line per training."""
        names = list(dict.fromkeys(name for run in self.runs for name in run))
        return csv_text([names, *([run.get(name) for name in names] for run in self.runs)])

    def save(self, folder: str | Path) -> None:
        """Write ``sweep.md``, ``sweep.csv``, ``runs.csv`` and ``sweep.txt`` into ``folder``."""
        for name, text in (
            ('sweep.txt', self.table() + '\n'),
            ('sweep.md', self.markdown()),
            ('sweep.csv', self.csv()),
            ('runs.csv', self.runs_csv()),
        ):
            write_text(Path(folder) / name, text)


def summarise(
    results: Sequence[tuple[Cell, int, dict[str, Any] | None, str | None]],
    metrics: Sequence[str] = (),
) -> Summary:
    """Gather results by cell.

    Args:
        results: Cell, seed, result (None while unfinished) and failure of every training.
        metrics: Names for the tables; empty takes :data:`SHOWN`, or all where none of it exists.
    """
    grouped: dict[Cell, list[tuple[int, dict[str, Any] | None, str | None]]] = {}
    for cell, seed, result, failure in results:
        grouped.setdefault(cell, []).append((seed, result, failure))
    rows = []
    for cell, members in grouped.items():
        finished = [result for _, result, _ in members if result is not None]
        names = dict.fromkeys(name for result in finished for name in result['metrics'])
        numbers = {
            name: [v for r in finished if (v := r['metrics'].get(name)) is not None]
            for name in names
        }
        parameters = finished[0]['parameters'] if finished else None
        failures = tuple((seed, line) for seed, _, line in members if line)
        rows.append(Row(cell, len(members), numbers, parameters, failures))
    known = dict.fromkeys(name for row in rows for name in row.numbers)
    shown = tuple(metrics) or tuple(name for name in SHOWN if name in known) or tuple(known)
    return Summary(tuple(rows), shown, tuple(_run_line(*result) for result in results))


def _run_line(
    cell: Cell, seed: int, result: dict[str, Any] | None, failure: str | None
) -> dict[str, Any]:
    status = 'failed' if failure else 'unfinished' if result is None else 'finished'
    line: dict[str, Any] = {**dict(cell.values), 'seed': seed, 'status': status}
    if result is not None:
        line |= {'seconds': result['seconds'], **result['metrics']}
    return line


def mean_and_deviation(numbers: Sequence[float]) -> tuple[float | None, float | None]:
    """Mean and sample standard deviation; None where there are too few numbers."""
    mean = statistics.fmean(numbers) if numbers else None
    return mean, statistics.stdev(numbers) if len(numbers) > 1 else None


def _spread(numbers: Sequence[float]) -> str:
    mean, deviation = mean_and_deviation(numbers)
    if mean is None:
        return '-'
    return f'{mean:.2f}' if deviation is None else f'{mean:.2f} ± {deviation:.2f}'


def _shorten(keys: Sequence[str]) -> list[str]:
    """Drop the leading parts of keys that none of them needs to be told apart."""
    for count in range(2, 20):
        short = ['.'.join(key.split('.')[-count:]) for key in keys]
        if len(set(short)) == len(short):
            return short
    return list(keys)
