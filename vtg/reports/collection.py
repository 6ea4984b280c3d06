# SPDX-License-Identifier: Apache-2.0
"""All recorded runs in one table, by benchmark, system and features, beside published numbers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vtg.utils import (
    DataError,
    csv_text,
    is_integer,
    is_number,
    markdown_table,
    markdown_text,
    mean_and_deviation,
    mean_cell,
    read_json,
    read_text,
    shown,
    two_decimals,
)
from vtg.utils.tables import parse_csv

from .published import CONFIGS, load_published

FACTS = ('dataset', 'split', 'system', 'features', 'seed', 'queries', 'selection')
METRICS = (
    'MR-full-R1@0.3', 'MR-full-R1@0.5', 'MR-full-R1@0.7', 'MR-full-mAP@0.5', 'MR-full-mAP@0.75',
    'MR-full-mAP', 'MR-full-mIoU', 'HL-min-VeryGood-mAP', 'HL-min-VeryGood-Hit1', 'HL-mAP',
)  # fmt: skip
"""Kept of a report, as are the headlines of its evaluator, and all metrics with a prefix."""
SEEDS = 3
"""Runs below which a deviation says little."""
TITLE = 'Results'


@dataclass(frozen=True)
class Recorded:
    """An evaluated run.

    Attributes:
        dataset, split: What was evaluated. system: Name of the config, ``qd_detr/qvhl``.
        features: Names of the features. seed: Of the run, None where it is not known.
        queries: How many. selection: How the checkpoint was chosen.
        metrics: Numbers in per cent by name.
    """

    dataset: str
    split: str
    system: str
    features: str
    seed: int | None
    queries: int | None
    selection: str
    metrics: Mapping[str, float]

    @property
    def row(self) -> tuple[str, str, str, str]:
        """What runs of one row of the table have in common."""
        return self.dataset, self.split, self.system, self.features


def collect(places: Iterable[str | Path]) -> tuple[list[Recorded], list[str]]:
    """Read every ``report_*.json`` below folders, and files of :func:`results_csv`.

    Args:
        places: Folders and CSV files.

    Returns:
        The runs, each once, sorted; and sentences on what was left out.

    Raises:
        DataError: A place does not exist, a CSV file is none of ours, or there is no run.
    """
    runs: dict[tuple[Any, ...], Recorded] = {}
    notes: list[str] = []
    for place in map(Path, places):
        if not place.exists():
            raise DataError(f'{place} does not exist; give folders of runs, or a CSV of results.')
        if place.is_file():
            found = read_results(place)
        else:
            found = []
            for file in sorted(place.rglob('report_*.json')):
                run = _recorded(file)
                if isinstance(run, str):
                    notes.append(run)
                else:
                    found.append(run)
        for run in found:
            runs.setdefault((*run.row, run.seed, tuple(run.metrics.items())), run)
    if not runs:
        raise DataError(
            'there is no report_*.json to collect; tools/test.py and tools/train.py write them.'
        )
    ordered = sorted(
        runs.values(), key=lambda run: (*run.row, -1 if run.seed is None else run.seed)
    )
    seen: set[tuple[Any, ...]] = set()
    for run in ordered:
        key = (*run.row, run.seed)
        if key in seen:
            notes.append(f'{run.system} on {run.dataset} {run.split} has two runs of {run.seed=}.')
        seen.add(key)
    return ordered, notes


@dataclass(frozen=True)
class StoredReport:
    """What a ``report_*.json`` says of a run.

    Attributes:
        facts: See :class:`vtg.reports.report.RunFacts`.
        metrics: The numbers of the main column in per cent; None where one is not defined.
        headlines: Metrics that the evaluator shows first.
    """

    facts: Mapping[str, Any]
    metrics: Mapping[str, float | None]
    headlines: tuple[str, ...] = ()


def read_report(path: str | Path) -> StoredReport:
    """Read what :meth:`vtg.reports.report.Report.save` wrote.

    Raises:
        DataError: It cannot be read, or is something else.
    """
    content = read_json(path)
    facts, metrics, columns = (
        content.get(name) if isinstance(content, dict) else None
        for name in ('facts', 'metrics', 'columns')
    )
    if not (
        isinstance(facts, dict)
        and isinstance(metrics, dict)
        and isinstance(columns, list)
        and all(isinstance(name, str) for name in columns)
    ):
        raise DataError(f'{path} is no benchmark report; tools/test.py writes them.')
    main = columns[0] if columns else None
    rows = {name: values.get(main) for name, values in metrics.items() if isinstance(values, dict)}
    headlines = content.get('headlines')
    return StoredReport(
        facts,
        {name: value if is_number(value) else None for name, value in rows.items()},
        tuple(n for n in (headlines if isinstance(headlines, list) else ()) if isinstance(n, str)),
    )


def _recorded(file: Path) -> Recorded | str:
    """The run of a report, or why there is none."""
    try:
        report = read_report(file)
    except DataError as error:
        return f'left out: {error}'
    facts, named = report.facts, {*METRICS, *report.headlines}
    numbers = {
        name: value
        for name, value in report.metrics.items()
        if value is not None and (name in named or '/' in name)
    }
    if not numbers:
        return f'left out: {file} has none of the collected metrics.'
    seed, queries = facts.get('seed'), facts.get('queries')
    return Recorded(
        str(facts.get('dataset') or ''),
        str(facts.get('split') or ''),
        system_of(str(facts.get('config') or '')),
        str(facts.get('features') or ''),
        seed if is_integer(seed) else None,
        queries if is_integer(queries) else None,
        str(facts.get('selection') or ''),
        {name: round(float(value), 4) for name, value in numbers.items()},
    )


def system_of(config: str) -> str:
    """The name of a system by its config: folder and file, or the folder of a cell of a sweep."""
    path = Path(config)
    if not path.name:
        return config
    if path.stem == 'config':
        name, dash, hashed = path.parent.name.rpartition('-')
        swept = dash and len(hashed) == 6 and set(hashed) <= set('0123456789abcdef')
        return name if swept else path.parent.name
    return '/'.join(path.with_suffix('').parts[-2:])


def results_csv(runs: Sequence[Recorded]) -> str:
    """The runs as CSV, one line each; what a page of results is made of."""
    names = _names(runs)
    rows: list[list[Any]] = [[*FACTS, *names]]
    for run in runs:
        facts = [getattr(run, name) for name in FACTS]
        rows.append(
            ['' if v is None else v for v in (*facts, *(run.metrics.get(n) for n in names))]
        )
    return csv_text(rows)


def read_results(path: str | Path) -> list[Recorded]:
    """Read what :func:`results_csv` wrote.

    Raises:
        DataError: The file has other columns, or a cell is no number.
    """
    names, rows = parse_csv(read_text(path), path)
    if tuple(names[: len(FACTS)]) != FACTS:
        raise DataError(
            f'{path} begins with the columns {shown(names[: len(FACTS)])}; expected '
            f'{", ".join(FACTS)}, as tools/collect_results.py writes them.'
        )
    runs = []
    for number, row in rows:
        try:
            metrics = {n: float(row[n]) for n in names[len(FACTS) :] if row[n]}
            seed, queries = (int(row[n]) if row[n] else None for n in ('seed', 'queries'))
        except (TypeError, ValueError):
            raise DataError(f'{path}, line {number} has a cell that is no number.') from None
        dataset, split, system, features = (row[name] for name in FACTS[:4])
        runs.append(
            Recorded(dataset, split, system, features, seed, queries, row['selection'], metrics)
        )
    return runs


def _names(runs: Sequence[Recorded]) -> list[str]:
    """Metrics of any run, the usual ones first."""
    known = dict.fromkeys(name for run in runs for name in run.metrics)
    return [n for n in METRICS if n in known] + sorted(n for n in known if n not in METRICS)


def results_page(runs: Sequence[Recorded], configs: Path = CONFIGS) -> str:
    """A page of Markdown: a table per benchmark and split, published rows of its systems below.

    Args:
        runs: As :func:`collect` gives them. configs: Where ``metafile.yml`` files lie.
    """
    parts = [
        f'# {TITLE}',
        'Every run that was recorded, evaluated by `tools/train.py` or `tools/test.py`, beside '
        'published numbers; mean ± standard deviation over the runs of a row, which differ in the '
        f'seed, in per cent. Below {SEEDS} runs a deviation says little.',
        'This page is made from [results.csv](results.csv), one line per run; a test compares '
        'them. New runs are added by',
        '    python tools/collect_results.py docs/results.csv RUNS ... --page docs/results.md',
    ]
    for dataset, split in dict.fromkeys((run.dataset, run.split) for run in runs):
        members = [run for run in runs if (run.dataset, run.split) == (dataset, split)]
        parts += [f'## {markdown_text(f"{dataset} {split}")}', _table(members, configs)]
    return '\n\n'.join(parts) + '\n'


def _table(runs: Sequence[Recorded], configs: Path) -> str:
    names = _names(runs)
    rows: list[list[str]] = []
    grouped: dict[tuple[str, str], list[Recorded]] = {}
    for run in runs:
        grouped.setdefault((run.system, run.features), []).append(run)
    published: dict[str, None] = {}
    for (system, features), members in grouped.items():
        published.setdefault(system.split('/')[0])
        numbers = [[m.metrics[n] for m in members if n in m.metrics] for n in names]
        cells = [mean_cell(*mean_and_deviation(values)) for values in numbers]
        rows.append([system, features, str(len(members)), *cells])
    for folder in published:
        file = configs / folder / 'metafile.yml'
        for entry in load_published(file, runs[0].dataset, runs[0].split):
            if entry.metrics.keys() & set(names):
                label = f'{folder}: {entry.source}'
                cells = [two_decimals(entry.metrics.get(name)) for name in names]
                rows.append([label, entry.variant, 'published', *cells])
    return markdown_table(['system', 'features', 'runs', *names], rows, 2)
