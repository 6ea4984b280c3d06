# SPDX-License-Identifier: Apache-2.0
"""Small pieces of HTML for sections; everything that comes in is escaped."""

import html
from collections.abc import Iterable, Sequence


def paragraph(text: str, kind: str = 'hint') -> str:
    """A sentence."""
    return f'<p class="{html.escape(kind)}">{html.escape(text)}</p>'


def heading(text: str) -> str:
    """A heading inside of a section."""
    return f'<h4>{html.escape(text)}</h4>'


def table(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    text_columns: int = 1,
    bold: Iterable[tuple[int, int]] = (),
) -> str:
    """A table; columns after the first ``text_columns`` are aligned right.

    Args:
        header: Names of the columns.
        rows: Cells.
        text_columns: Columns of text, which may wrap.
        bold: Row and column of cells in bold.
    """
    strong = set(bold)

    def cell(row: int, column: int, text: str) -> str:
        content = html.escape(text)
        content = f'<b>{content}</b>' if (row, column) in strong else content
        kind = ' class="text wrap"' if column < text_columns else ''
        return f'<td{kind}>{content}</td>'

    head = ''.join(
        f'<th{" class=text" if column < text_columns else ""}>{html.escape(name)}</th>'
        for column, name in enumerate(header)
    )
    body = ''.join(
        f'<tr>{"".join(cell(number, column, text) for column, text in enumerate(row))}</tr>'
        for number, row in enumerate(rows)
    )
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody>'
        '</table></div>'
    )


def side_by_side(figures: Iterable[str]) -> str:
    """Figures beside each other where there is room."""
    return f'<div class="plots">{"".join(figures)}</div>'
