# SPDX-License-Identifier: Apache-2.0
"""The table of a sweep in a Markdown page, and its trainings in a CSV file beside it."""

import csv
from pathlib import Path

from vtg.utils import ConfigError, write_text

from .grid import Cell
from .table import FACTS, Summary, summarise

BEGIN, END = '<!-- table of the sweep -->', '<!-- end of the table -->'
STATUS = 'status'


def runs_file(page: str | Path) -> Path:
    """The CSV file beside a page."""
    return Path(page).with_suffix('.csv')


def table_place(page: str | Path) -> tuple[str, str, str]:
    """The text of a page before its table, the table, and the text behind it.

    Raises:
        ConfigError: There is no such page, or it does not have the two lines between which the
            table belongs.
    """
    path = Path(page)
    text = path.read_text(encoding='utf-8') if path.is_file() else ''
    head, begin, rest = text.partition(f'{BEGIN}\n')
    table, end, tail = rest.partition(f'{END}\n')
    if not (begin and end):
        raise ConfigError(
            f'{path} has no place for a table; write a page with the lines {BEGIN} and {END}.'
        )
    return f'{head}{begin}', table, f'{end}{tail}'


def write_page(page: str | Path, summary: Summary) -> None:
    """Replace the table of a page, and write what it was made of to the CSV file beside it.

    Raises:
        ConfigError: See :func:`table_place`.
    """
    head, _, tail = table_place(page)
    write_text(runs_file(page), summary.runs_csv(shown_only=True))
    write_text(Path(page), f'{head}\n{summary.markdown()}\n{tail}')


def read_runs(path: str | Path) -> Summary:
    """Make the summary again from the CSV file of :func:`write_page`."""
    results = []
    with Path(path).open(encoding='utf-8', newline='') as stream:
        reader = csv.DictReader(stream)
        names = list(reader.fieldnames or ())
        place = names.index(STATUS)
        shown = names[place + 1 :]
        for line in reader:
            cell = Cell(tuple((name, line[name]) for name in names[: place - 1]))
            values = {name: float(line[name]) for name in shown if line[name]}
            result = None
            if line[STATUS] == 'finished':
                metrics = {name: value for name, value in values.items() if name not in FACTS}
                facts = dict.fromkeys(FACTS) | {n: values[n] for n in FACTS if n in values}
                result = {**facts, 'metrics': metrics}
            failure = line[STATUS] if line[STATUS] == 'failed' else None
            results.append((cell, int(line[names[place - 1]]), result, failure))
    return summarise(results, shown)
