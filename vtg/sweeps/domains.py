# SPDX-License-Identifier: Apache-2.0
"""One model per domain, with several seeds: the protocol of TVSum and YouTube Highlights."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from vtg.apis.test import run_test
from vtg.datasets import rehearse
from vtg.engine.config import apply_options, benchmark_name, load_config
from vtg.reports.published import Published, published_for
from vtg.utils import (
    LOADERS,
    ConfigError,
    csv_text,
    markdown_table,
    markdown_text,
    mean_and_deviation,
    nearest_names,
    printable,
    read_json,
    terminal_table,
    two_decimals,
    write_json,
    write_text,
)

from .execution import Run, run_cells
from .grid import Cell, apply_cell

METRIC = 'HL-mAP'
AVERAGE = 'average'
STEM = 'domains'


@dataclass(frozen=True)
class DomainCell(Cell):
    """The trainings of one domain; ``values`` sets it in every loader."""

    domain: str = ''

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.domain

    @property
    def label(self) -> str:
        """The name for people."""
        return self.domain


@dataclass(frozen=True)
class DomainTable:
    """Numbers in per cent by domain, beside published ones.

    Attributes:
        numbers: Per domain the number of every finished seed.
        published: Published rows: ``metrics`` by domain, and their ``average``.
        metric: What the numbers are.
        selection: Per rule how many checkpoints were chosen by it.
        failures: One line per training that crashed.
    """

    numbers: dict[str, dict[int, float]]
    seeds: tuple[int, ...]
    published: tuple[Published, ...] = ()
    metric: str = METRIC
    selection: dict[str, int] = field(default_factory=dict)
    failures: tuple[str, ...] = ()

    def rows(self) -> list[tuple[str, float | None, float | None, int, list[float | None]]]:
        """Name, mean, standard deviation (n - 1), finished seeds and published numbers.

        The last row is the average over the domains, of the seeds that have all of them.
        """
        rows = []
        for name, by_seed in {**self.numbers, AVERAGE: self.averages()}.items():
            mean, deviation = mean_and_deviation(list(by_seed.values()))
            known = [entry.metrics.get(name) for entry in self.published]
            rows.append((name, mean, deviation, len(by_seed), known))
        return rows

    def averages(self) -> dict[int, float]:
        """The average over the domains per seed, for the seeds with a number in each."""
        complete = [s for s in self.seeds if all(s in values for values in self.numbers.values())]
        count = max(1, len(self.numbers))
        return {s: sum(values[s] for values in self.numbers.values()) / count for s in complete}

    def _header(self) -> list[str]:
        return ['domain', 'mean', 'std', 'seeds', *(entry.label for entry in self.published)]

    def _cells(self) -> list[list[str]]:
        return [
            [
                name,
                *map(two_decimals, (mean, deviation)),
                f'{count}/{len(self.seeds)}',
                *map(two_decimals, known),
            ]
            for name, mean, deviation, count, known in self.rows()
        ]

    def _notes(self) -> list[str]:
        notes = [f'{self.metric} in per cent; std over seeds {", ".join(map(str, self.seeds))}']
        notes += [f'{rule} ({count})' for rule, count in self.selection.items()]
        return notes + [f'failed: {line}' for line in self.failures]

    def text(self) -> str:
        """For a terminal."""
        title = 'One model per domain'
        table = terminal_table(self._header(), self._cells(), title, total=True)
        return '\n'.join([table, *(printable(note) for note in self._notes())])

    def markdown(self) -> str:
        """As a Markdown table."""
        table = markdown_table(self._header(), self._cells(), 1)
        notes = [f'- {markdown_text(note)}' for note in self._notes()]
        return '\n'.join([table, '', *notes, ''])

    def csv(self) -> str:
        """One line per domain and seed, then the averages."""
        rows: list[list[Any]] = [['domain', 'seed', self.metric]]
        for name, by_seed in {**self.numbers, AVERAGE: self.averages()}.items():
            rows += [[name, seed, value] for seed, value in by_seed.items()]
        return csv_text(rows)

    def as_dict(self) -> dict[str, Any]:
        """As plain values, not rounded."""
        names = ('domain', 'mean', 'std', 'finished')
        return {
            'metric': self.metric,
            'seeds': list(self.seeds),
            'rows': [dict(zip(names, row)) for row in self.rows()],
            'runs': {name: dict(by_seed) for name, by_seed in self.numbers.items()},
            'published': [asdict(entry) for entry in self.published],
            'selection': self.selection,
            'failures': list(self.failures),
        }

    def save(self, folder: str | Path) -> None:
        """Write ``domains.md``, ``domains.csv`` and ``domains.json`` into ``folder``."""
        for suffix, content in (('md', self.markdown()), ('csv', self.csv())):
            write_text(Path(folder) / f'{STEM}.{suffix}', content)
        write_json(Path(folder) / f'{STEM}.json', self.as_dict())


def domain_cells(cfg: Config, domains: Sequence[str] = ()) -> list[DomainCell]:
    """One cell per domain of a config, or of those named.

    Raises:
        ConfigError: The config has no domains, or not the one named.
    """
    known = list((cfg.get('benchmark') or {}).get('domains') or ())
    loaders = [name for name in LOADERS if 'domain' in ((cfg.get(name) or {}).get('dataset') or {})]
    if not known or not loaders:
        raise ConfigError(
            f'{cfg.filename} has no benchmark.domains and no `domain` of its datasets; use a '
            'config on a base like configs/_base_/benchmarks/tvsum_i3d.py.'
        )
    for name in domains:
        if name not in known:
            close = nearest_names(name, known) or known
            raise ConfigError(f'--domains names {name!r}; choose {", ".join(close)}.')
    return [
        DomainCell(tuple((f'{loader}.dataset.domain', name) for loader in loaders), name)
        for name in (domains or known)
    ]


def train_domains(
    config: str | Path,
    seeds: Sequence[int],
    out: str | Path,
    domains: Sequence[str] = (),
    jobs: int = 1,
    cfg_options: Sequence[str] = (),
    selection: str = 'best',
    rehearsal: bool = False,
    metric: str = METRIC,
    say: Callable[[str], None] = print,
) -> DomainTable:
    """Train and evaluate one model per domain and seed.

    Every training is a process of its own that evaluates the chosen checkpoint on ``val``. Called
    again with the same ``out``, finished trainings are kept, interrupted ones go on.

    Args:
        config: A config with ``benchmark.domains``.
        seeds: Seeds of every domain.
        out: Folder of the results: ``<domain>/seed_<n>``, ``domains.{md,csv,json}``.
        domains: Which of the domains; all by default.
        jobs: Trainings at a time.
        cfg_options: Overrides for all of them.
        selection: ``'best'`` epoch by the ``save_best`` of the config, or the ``'last'``.
        rehearsal: Use simulated features, see :func:`vtg.datasets.rehearse`.
        metric: The number that is tabulated.
        say: Gets a line per event.

    Raises:
        ConfigError: See :func:`domain_cells`; ``out`` holds trainings of another config.
    """
    cfg = _configured(config, cfg_options, rehearsal)
    if selection == 'last':
        cfg.default_hooks.checkpoint.save_best = None
    cells = domain_cells(cfg, domains)
    published = published_for(cfg, benchmark_name(cfg))

    def gather(runs: Sequence[Run]) -> DomainTable:
        table = make_table(runs, seeds, published, metric)
        table.save(out)
        return table

    return gather(run_cells(cfg, cells, seeds, Path(out), jobs, say, gather))


def evaluate_domains(
    config: str | Path,
    checkpoint: str | Path,
    out: str | Path,
    domains: Sequence[str] = (),
    cfg_options: Sequence[str] = (),
    rehearsal: bool = False,
    metric: str = METRIC,
) -> DomainTable:
    """Evaluate the same weights on ``val`` of every domain, as in zero-shot tables.

    Args:
        config: A config with ``benchmark.domains`` whose model the weights fit.
        checkpoint: The weights, of any training.
        out: Folder of the results: ``<domain>/report_val.json``, ``domains.{md,csv,json}``.
        domains, cfg_options, rehearsal, metric: See :func:`train_domains`.

    Returns:
        A table in which the evaluation counts as one seed.

    Raises:
        ConfigError: See :func:`domain_cells`, or the evaluation gives no such metric.
        CheckpointError: The weights are absent or do not fit.
    """
    base = _configured(config, cfg_options, rehearsal)
    numbers: dict[str, dict[int, float]] = {}
    rule = ''
    for cell in domain_cells(base, domains):
        cfg = base.copy()
        apply_cell(cfg, cell)
        cfg.work_dir = str(Path(out) / cell.name)
        report = run_test(cfg, checkpoint, split='val', out=cfg.work_dir)
        if metric not in report.rows:
            have = ', '.join(report.rows)
            raise ConfigError(f'the evaluation gives no {metric!r}; choose --metric from {have}.')
        value = report.rows[metric][0]
        numbers[cell.name] = {} if value is None else {0: value}
        rule = f'weights of {checkpoint}'
    published = tuple(_by_domain(row, metric) for row in published_for(base, benchmark_name(base)))
    table = DomainTable(numbers, (0,), published, metric, {rule: len(numbers)})
    table.save(out)
    return table


def _configured(config: str | Path, cfg_options: Sequence[str], rehearsal: bool) -> Config:
    cfg = load_config(config)
    apply_options(cfg, cfg_options)
    if rehearsal:
        rehearse(cfg)
    return cfg


def make_table(
    runs: Sequence[Run], seeds: Sequence[int], published: Sequence[Published], metric: str = METRIC
) -> DomainTable:
    """Collect the numbers and selection rules of all finished trainings."""
    numbers: dict[str, dict[int, float]] = {run.cell.name: {} for run in runs}
    rules: dict[str, int] = {}
    for run in runs:
        if run.result is None:
            continue
        if metric not in run.result['metrics']:
            have = ', '.join(run.result['metrics'])
            raise ConfigError(f'the trainings give no {metric!r}; choose --metric from {have}.')
        # A domain without a counted video has no number.
        if run.result['metrics'][metric] is not None:
            numbers[run.cell.name][run.seed] = run.result['metrics'][metric]
        rule = read_json(run.folder / 'report_val.json')['facts']['selection']
        rule = rule.partition(': ')[2] or rule
        rules[rule] = rules.get(rule, 0) + 1
    failures = tuple(f'{run.name}: {run.failure}' for run in runs if run.failure)
    shown = tuple(_by_domain(entry, metric) for entry in published)
    return DomainTable(numbers, tuple(seeds), shown, metric, rules, failures)


def _by_domain(entry: Published, metric: str) -> Published:
    """Name the average of published numbers like ours."""
    average = entry.metrics.get(AVERAGE, entry.metrics.get('avg', entry.metrics.get(metric)))
    extra = {} if average is None else {AVERAGE: average}
    return Published(
        entry.dataset, entry.split, entry.source, {**entry.metrics, **extra}, entry.variant
    )
