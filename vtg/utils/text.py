# SPDX-License-Identifier: Apache-2.0
"""Text of users where something could obey it: terminals, spreadsheets, Markdown, HTML."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

_FORMULA = ('=', '+', '-', '@')
_MARKUP = re.compile(r'([\\`*\[\]|])')


def printable(text: Any, keep: str = '') -> str:
    """Return ``text`` with control characters escaped, so that a terminal does not obey them.

    Args:
        text: Anything; its ``str`` is taken.
        keep: Characters to leave as they are, such as ``'\\n'``.
    """
    text = str(text)
    if text.isprintable():
        return text
    return ''.join(
        character
        if character.isprintable() or character in keep
        else character.encode('unicode_escape').decode()
        for character in text
    )


def shown(value: Any, most: int = 60) -> str:
    """Return the ``repr`` of a value of a file for a message, cut to ``most`` characters."""
    text = printable(repr(value))
    return text if len(text) <= most else f'{text[: most - 3]}...'


def csv_text(rows: Iterable[Iterable[Any]]) -> str:
    """Return rows as CSV in which no text is a formula for a spreadsheet.

    Text that begins with ``=``, ``+``, ``-`` or ``@`` gets an apostrophe in front, as OWASP advises
    against "CSV injection"; text that is a number stays.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator='\n').writerows([map(_csv_cell, row) for row in rows])
    return text.getvalue()


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


def markdown_text(text: Any) -> str:
    """Return ``text`` for one line of Markdown, with its markup and that of HTML escaped."""
    line = printable(' '.join(str(text).splitlines()))
    line = line.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')
    return _MARKUP.sub(r'\\\1', line)


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]], text_columns: int) -> str:
    """Return a Markdown table; columns after the first ``text_columns`` are aligned right."""
    rule = ['---'] * text_columns + ['---:'] * (len(header) - text_columns)
    cells = [[markdown_text(cell) for cell in row] for row in (header, *rows)]
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in (cells[0], rule, *cells[1:]))
