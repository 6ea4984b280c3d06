# SPDX-License-Identifier: Apache-2.0
"""The benchmark report: all metrics of one run beside the published numbers."""

import hashlib
import math
import platform
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from terminaltables import AsciiTable

from vtg.structures import MAIN, MetricTable, Quantity
from vtg.utils import (
    file_sha256,
    markdown_table,
    markdown_text,
    printable,
    terminal_table,
    two_decimals,
    write_json,
    write_text,
)
from vtg.version import __version__

from .published import Published

_PACKAGES = ('torch', 'mmengine', 'numpy')


@dataclass(frozen=True)
class RunFacts:
    """What produced the metrics.

    Attributes:
        config: Path of the config. config_hash: sha256 of its resolved text.
        seed: Seed of the run.
        checkpoint: Path of the weights. checkpoint_sha8: first 8 hex digits of their sha256.
        parameters: Number of parameters of the model.
        seconds_per_query: Inference time, data loading excluded.
        dataset, split, queries: What was evaluated.
        annotation: The annotation file, what was wrong with it, and what was done about it.
        features: Names of the video and further features.
        result_list: Which result list of the model the main column shows, for example ``comb``.
        selection: How the checkpoint was chosen, see :func:`vtg.reports.selection.selection_rule`.
        versions: Package versions.
    """

    config: str = ''
    config_hash: str = ''
    seed: int | None = None
    checkpoint: str = ''
    checkpoint_sha8: str = ''
    parameters: int | None = None
    seconds_per_query: float | None = None
    dataset: str = ''
    split: str = ''
    queries: int | None = None
    annotation: str = ''
    features: str = ''
    result_list: str = ''
    selection: str = ''
    versions: Mapping[str, str] = field(init=False, default_factory=lambda: package_versions())

    def lines(self) -> list[tuple[str, str]]:
        """Labels and printable values of the known facts."""
        milliseconds = None if self.seconds_per_query is None else 1000 * self.seconds_per_query
        checkpoint = f'{self.checkpoint} ({self.checkpoint_sha8})' if self.checkpoint else ''
        config = f'{self.config} ({self.config_hash[:12]})' if self.config else ''
        rows = [
            ('dataset', ' '.join(filter(None, (self.dataset, self.split)))),
            ('queries', self.queries),
            ('annotation', self.annotation),
            ('features', self.features),
            ('config', config),
            ('seed', self.seed),
            ('checkpoint', checkpoint),
            ('parameters', None if self.parameters is None else f'{self.parameters:,}'),
            ('time per query', None if milliseconds is None else f'{milliseconds:.2f} ms'),
            ('result list', self.result_list),
            ('selection', self.selection),
            ('versions', ', '.join(f'{name} {v}' for name, v in self.versions.items())),
        ]
        return [(label, str(value)) for label, value in rows if value not in (None, '')]


@dataclass(frozen=True)
class Report:
    """Metrics by row and column, in per cent; None where a column has no such number.

    Attributes:
        columns: Result lists of the run, the main one first, then constant predictions and
            published sources.
        rows: Metric name to one value per column.
        facts: What produced the run's columns.
        details: The nested official result per list, for the JSON file only.
        quantities: What the metrics declare of the rows, by name.
    """

    columns: tuple[str, ...]
    rows: Mapping[str, tuple[float | None, ...]]
    facts: RunFacts
    details: Mapping[str, Any] = field(default_factory=dict)
    quantities: Mapping[str, Quantity] = field(default_factory=dict)

    @property
    def headlines(self) -> list[str]:
        """The rows that their metrics show where there is room for a few."""
        return [name for name, one in self.quantities.items() if one.headline and name in self.rows]

    def _cells(self) -> list[list[str]]:
        return [
            [self._label(name), *map(two_decimals, values)] for name, values in self.rows.items()
        ]

    def _label(self, name: str) -> str:
        one = self.quantities.get(name, Quantity(name))
        notes = [one.unit] * (one.unit != '%') + ['lower is better'] * (not one.higher)
        return f'{name} ({", ".join(notes)})' if notes else name

    def table(self) -> str:
        """Two tables for a terminal: the metrics and the facts."""
        header = ['metric', *('\n'.join(textwrap.wrap(column, 14)) for column in self.columns)]
        metrics = terminal_table(header, self._cells(), f'Benchmark {self.facts.split}')
        facts = AsciiTable([list(line) for line in self.facts.lines()], 'Run')
        facts.inner_heading_row_border = False
        return f'{metrics}\n' + printable(facts.table, keep='\n')

    def markdown(self) -> str:
        """The same as a Markdown document."""
        title = ' '.join(filter(None, ('# Benchmark', self.facts.dataset, self.facts.split)))
        facts = [f'- {label}: {markdown_text(value)}' for label, value in self.facts.lines()]
        table = markdown_table(['metric', *self.columns], self._cells(), 1)
        return '\n'.join([markdown_text(title), '', *facts, '', 'Per cent.', '', table, ''])

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values; the run's numbers are not rounded."""
        return {
            'facts': asdict(self.facts),
            'columns': list(self.columns),
            'metrics': {
                name: dict(zip(self.columns, values)) for name, values in self.rows.items()
            },
            'headlines': self.headlines,
            'details': dict(self.details),
        }

    def save(self, folder: str | Path, stem: str = 'report') -> tuple[Path, Path]:
        """Write ``<stem>.json`` and ``<stem>.md`` into ``folder`` and return their paths."""
        json_path, markdown_path = (Path(folder) / f'{stem}.{kind}' for kind in ('json', 'md'))
        write_json(json_path, self.as_dict())
        write_text(markdown_path, self.markdown())
        return json_path, markdown_path


def make_report(
    metrics: MetricTable,
    facts: RunFacts,
    published: Sequence[Published] = (),
    details: Mapping[str, Any] | None = None,
    quantities: Sequence[Quantity] = (),
    baselines: Mapping[str, Mapping[str, float]] | None = None,
) -> Report:
    """Lay out the metrics of a run beside published ones.

    Args:
        metrics: Values by list of moments and name, in per cent; a list becomes a column.
        facts: What produced them.
        published: Published numbers, one column each.
        details: Nested results to keep in the JSON file.
        quantities: What the metrics declare: the order of the rows; others follow.
        baselines: Values of constant predictions, one column each.
    """
    main = facts.result_list or 'this run'
    columns: dict[str, dict[str, float]] = {main: {}}
    for name, values in metrics.items():
        columns.setdefault(main if name == MAIN else name, {}).update(values)
    for name, known in (baselines or {}).items():
        columns.setdefault(name, {}).update(known)
    for entry in published:
        columns.setdefault(entry.label, {}).update(entry.metrics)
    names = dict.fromkeys(name for values in columns.values() for name in values)
    declared = {one.name: one for one in quantities}
    ordered = [name for name in declared if name in names]
    ordered += [name for name in names if name not in declared]
    rows = {name: tuple(_finite(c.get(name)) for c in columns.values()) for name in ordered}
    return Report(tuple(columns), rows, facts, details or {}, declared)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def config_hash(text: str) -> str:
    """The sha256 of a resolved config's text, as hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def file_sha8(path: str | Path) -> str:
    """The first 8 hex digits of a file's sha256."""
    return file_sha256(path)[:8]


def package_versions() -> dict[str, str]:
    """Versions of this package, Python and the packages that numbers depend on."""
    versions = {'vtg': __version__, 'python': platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = 'not installed'
    return versions
