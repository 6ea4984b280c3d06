# SPDX-License-Identifier: Apache-2.0
"""The same table for a terminal, for Markdown and for a spreadsheet."""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from terminaltables import AsciiTable

from .errors import DataError
from .text import markdown_text, printable, shown

_FORMULA = ('=', '+', '-', '@')


def two_decimals(value: float | None) -> str:
    """A number as tables show it: two decimals, ``-`` for None and NaN."""
    return '-' if value is None or math.isnan(value) else f'{value:.2f}'


def mean_cell(mean: float | None, deviation: float | None) -> str:
    """A mean with its standard deviation, where there is one: ``'71.25 ± 0.31'``."""
    return two_decimals(mean) if deviation is None else f'{two_decimals(mean)} ± {deviation:.2f}'


def terminal_table(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    title: str | None = None,
    text_columns: int = 1,
    total: bool = False,
) -> str:
    """Return a table for a terminal; columns after the first ``text_columns`` are aligned right.

    Args:
        header: Names of the columns.
        rows: Cells.
        title: In the upper border.
        text_columns: Columns that are aligned left.
        total: Rule off the last row.
    """
    cells = [[printable(cell, keep='\n') for cell in row] for row in (header, *rows)]
    table = AsciiTable(cells, title and printable(title))
    table.inner_footing_row_border = total
    table.justify_columns = dict.fromkeys(range(text_columns, len(header)), 'right')
    return table.table


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]], text_columns: int) -> str:
    """Return a Markdown table; columns after the first ``text_columns`` are aligned right."""
    rule = ['---'] * text_columns + ['---:'] * (len(header) - text_columns)
    cells = [[markdown_text(cell) for cell in row] for row in (header, *rows)]
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in (cells[0], rule, *cells[1:]))


def csv_text(rows: Iterable[Iterable[Any]]) -> str:
    """Return rows as CSV in which no text is a formula for a spreadsheet.

    Text that begins with ``=``, ``+``, ``-`` or ``@`` gets an apostrophe in front, as OWASP advises
    against "CSV injection"; text that is a number stays.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator='\n').writerows([map(_csv_cell, row) for row in rows])
    return text.getvalue()


def parse_csv(
    text: str, path: str | Path, delimiter: str = ','
) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Return the header of a table, and its rows that are not empty with their lines.

    Args:
        text: The content of a file. path: Its name for messages.
        delimiter: What stands between the cells.

    Raises:
        DataError: It is no table, a column occurs twice, or a row has more or fewer cells.
    """
    lines = csv.reader(io.StringIO(text, newline=None), delimiter=delimiter)
    rows: list[tuple[int, dict[str, str]]] = []
    try:
        header = next(lines, [])
        twice = next((name for name in header if header.count(name) > 1), None)
        if twice is not None:
            raise DataError(f'{path}, line 1: the column {shown(twice)} occurs twice; rename one.')
        for cells in lines:
            if cells and len(cells) != len(header):
                raise DataError(
                    f'{path}, line {lines.line_num}: {len(cells)} cells, but the header has '
                    f'{len(header)}; write one for every column.'
                )
            if cells:
                rows.append((lines.line_num, dict(zip(header, cells))))
    except csv.Error as error:
        raise DataError(f'{path}, line {lines.line_num}: {error}; expected a table.') from None
    return header, rows


def _csv_cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    value = printable(value, keep='\n')
    return f"'{value}" if value.lstrip().startswith(_FORMULA) and not _is_number(value) else value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
