# SPDX-License-Identifier: Apache-2.0
"""The results of a sweep as tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vtg.utils import (
    csv_text,
    markdown_table,
    markdown_text,
    mean_and_deviation,
    mean_cell,
    printable,
    terminal_table,
    write_text,
)

from .comparison import Comparison, compare
from .grid import Cell
from .systems import CONFIG

# What is known of a training beside its metrics; shown where it is asked for by name.
FACTS = ('seconds', 'cpu_seconds', 'parameters')

PAIRED = (
    'Differences from the first row of the same config, over the same seeds: mean, standard '
    'deviation and p of a two-sided paired t-test, not corrected for the number of rows. In a row '
    '`all` the configs are the pairs.'
)


@dataclass(frozen=True)
class Row:
    """One cell: values of the grid, per metric the numbers of the finished seeds, failures, and the
    metrics of every finished seed."""

    cell: Cell
    seeds: int
    numbers: dict[str, list[float]]
    parameters: int | None
    failures: tuple[tuple[int, str], ...]
    results: Mapping[int, Mapping[str, float | None]] = field(default_factory=dict)

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
                *(
                    mean_cell(*mean_and_deviation(row.numbers.get(metric, [])))
                    for metric in self.metrics
                ),
            ]
            for row in self.rows
        ]

    def comparisons(self) -> list[Comparison]:
        """Every row against the first one of its config, where several seeds allow a test."""
        if max((row.finished for row in self.rows), default=0) < 2:
            return []
        rows = []
        for row in self.rows:
            values = dict(row.cell.values)
            config = values.pop(CONFIG, '')
            rows.append((config, tuple(values.values()), row.results))
        return compare(rows, self.metrics)

    def _compared(self) -> tuple[list[str], list[list[str]]]:
        """Header and cells of the table of comparisons."""
        lines = [
            [
                *([one.config] if one.config else []),
                *one.label,
                str(one.pairs),
                *(str(one.differences[name]) for name in self.metrics),
            ]
            for one in self.comparisons()
        ]
        return [*self._header()[: -len(self.metrics) - 1], 'pairs', *self.metrics], lines

    def table(self) -> str:
        """For a terminal."""
        header = self._header()
        table = terminal_table(header, self._cells(), 'Sweep', len(header) - len(self.metrics))
        compared, lines = self._compared()
        if lines:
            title = 'Differences from the first row'
            further = terminal_table(compared, lines, title, len(compared) - len(self.metrics))
            table = f'{table}\n{further}'
        return '\n'.join([table, *(f'failed: {printable(line)}' for line in self.failures)])

    def markdown(self) -> str:
        """As a Markdown table."""
        header = self._header()
        lines = [markdown_table(header, self._cells(), len(header) - len(self.metrics))]
        compared, differences = self._compared()
        if differences:
            table = markdown_table(compared, differences, len(compared) - len(self.metrics))
            lines += ['', PAIRED, '', table]
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

    def runs_csv(self, shown_only: bool = False) -> str:
        """One line per training, with all of its metrics or those that are shown only."""
        names = list(dict.fromkeys(name for run in self.runs for name in run))
        if shown_only:
            first = names[: names.index('status') + 1]
            names = [*first, *(name for name in self.metrics if name in names)]
        return csv_text([names, *([run.get(name) for name in names] for run in self.runs)])

    def differences_csv(self) -> str:
        """One line per comparison and metric, not rounded."""
        lines: list[list[Any]] = [
            ['config', 'row', 'metric', 'pairs', 'mean', 'std', 'higher', 'p']
        ]
        for one in self.comparisons():
            for name, found in one.differences.items():
                numbers = (found.pairs, found.mean, found.deviation, found.higher, found.p)
                lines.append([one.config, ', '.join(one.label), name, *numbers])
        return csv_text(lines)

    def save(self, folder: str | Path) -> None:
        """Write ``sweep.md``, ``sweep.csv``, ``runs.csv``, ``sweep.txt`` and, where there are
        comparisons, ``differences.csv`` into ``folder``."""
        texts = {
            'sweep.txt': self.table() + '\n',
            'sweep.md': self.markdown(),
            'sweep.csv': self.csv(),
            'runs.csv': self.runs_csv(),
        }
        if self.comparisons():
            texts['differences.csv'] = self.differences_csv()
        for name, text in texts.items():
            write_text(Path(folder) / name, text)


def summarise(
    results: Sequence[tuple[Cell, int, dict[str, Any] | None, str | None]],
    metrics: Sequence[str] = (),
) -> Summary:
    """Gather results by cell.

    Args:
        results: Cell, seed, result (None while unfinished) and failure of every training.
        metrics: Names for the tables, also of :data:`FACTS`; empty takes the headlines of the
            evaluators, or all where a result names none.
    """
    asked = [name for name in metrics if name in FACTS]
    grouped: dict[Cell, list[tuple[int, dict[str, Any] | None, str | None]]] = {}
    for cell, seed, result, failure in results:
        grouped.setdefault(cell, []).append((seed, result, failure))
    rows = []
    for cell, members in grouped.items():
        finished = [result for _, result, _ in members if result is not None]
        values = [{**r['metrics'], **{name: r.get(name) for name in asked}} for r in finished]
        names = dict.fromkeys(name for known in values for name in known)
        numbers = {
            name: [v for known in values if (v := known.get(name)) is not None] for name in names
        }
        parameters = finished[0]['parameters'] if finished else None
        failures = tuple((seed, line) for seed, _, line in members if line)
        results_by_seed = {seed: r['metrics'] for seed, r, _ in members if r is not None}
        rows.append(Row(cell, len(members), numbers, parameters, failures, results_by_seed))
    known = dict.fromkeys(name for row in rows for name in row.numbers)
    headlines = dict.fromkeys(
        name for _, _, found, _ in results if found for name in found.get('headlines', ())
    )
    shown = tuple(metrics) or tuple(name for name in headlines if name in known) or tuple(known)
    return Summary(tuple(rows), shown, tuple(_run_line(*result) for result in results))


def _run_line(
    cell: Cell, seed: int, result: dict[str, Any] | None, failure: str | None
) -> dict[str, Any]:
    status = 'failed' if failure else 'unfinished' if result is None else 'finished'
    line: dict[str, Any] = {**dict(cell.values), 'seed': seed, 'status': status}
    if result is not None:
        line |= {name: result[name] for name in FACTS if name in result}
        line |= result['metrics']
    return line


def _shorten(keys: Sequence[str]) -> list[str]:
    """Drop the leading parts of keys that none of them needs to be told apart."""
    for count in range(2, 20):
        short = ['.'.join(key.split('.')[-count:]) for key in keys]
        if len(set(short)) == len(short):
            return short
    return list(keys)
