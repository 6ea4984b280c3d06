# SPDX-License-Identifier: Apache-2.0
"""Parts of a report, written once and rendered as Markdown, as HTML, and tables as LaTeX."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from vtg.pages import Section, html
from vtg.utils import markdown_table, markdown_text, printable

_LATEX = {
    '\\': r'\textbackslash{}', '&': r'\&', '%': r'\%', '$': r'\$', '#': r'\#', '_': r'\_',
    '{': r'\{', '}': r'\}', '~': r'\textasciitilde{}', '^': r'\textasciicircum{}', '±': r'$\pm$',
    '<': r'\textless{}', '>': r'\textgreater{}',
}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        header, rows: Cells. text_columns: Columns of text, aligned left.
        title: Above it. bold: Row and column of cells in bold.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    text_columns: int = 1
    title: str = ''
    bold: frozenset[tuple[int, int]] = field(default_factory=frozenset)

    def markdown(self) -> str:
        """As Markdown; the cells in bold are so there too."""
        cells = markdown_table(self.header, self.rows, self.text_columns).split('\n')
        for row, column in self.bold:
            # A bar inside of a cell is escaped, so it ends none.
            parts = re.split(r'(?<!\\)\|', cells[row + 2])
            parts[column + 1] = f' **{parts[column + 1].strip()}** '
            cells[row + 2] = '|'.join(parts)
        title = [f'**{markdown_text(self.title)}**', ''] if self.title else []
        return '\n'.join([*title, *cells])

    def html(self) -> str:
        """As HTML."""
        title = html.heading(self.title) if self.title else ''
        return title + html.table(self.header, self.rows, self.text_columns, self.bold)

    def latex(self) -> str:
        """As a ``tabular`` of LaTeX with rules of ``booktabs``."""

        def line(cells: Iterable[str]) -> str:
            return ' & '.join(cells) + r' \\'

        kinds = 'l' * self.text_columns + 'r' * (len(self.header) - self.text_columns)
        body = [
            line(
                rf'\textbf{{{latex_text(cell)}}}' if (row, column) in self.bold
                else latex_text(cell)
                for column, cell in enumerate(cells)
            )
            for row, cells in enumerate(self.rows)
        ]  # fmt: skip
        head = line(map(latex_text, self.header))
        parts = [rf'\begin{{tabular}}{{{kinds}}}', r'\toprule', head, r'\midrule', *body]
        return '\n'.join([*parts, r'\bottomrule', r'\end{tabular}', ''])


@dataclass(frozen=True)
class Figures:
    """Plots of :mod:`vtg.pages.plots`, for HTML only."""

    plots: Sequence[str]

    def markdown(self) -> str:
        """Nothing."""
        return ''

    def html(self) -> str:
        """Beside each other."""
        return html.side_by_side(self.plots)


@dataclass(frozen=True)
class Text:
    """A sentence."""

    text: str

    def markdown(self) -> str:
        """A paragraph."""
        return markdown_text(self.text)

    def html(self) -> str:
        """A paragraph."""
        return html.paragraph(self.text)


Block = Table | Figures | Text


@dataclass(frozen=True)
class Part:
    """A part of a report: its title and what it holds."""

    title: str
    blocks: Sequence[Block]

    def markdown(self) -> str:
        """As Markdown."""
        blocks = [text for block in self.blocks if (text := block.markdown())]
        return '\n\n'.join([f'## {markdown_text(self.title)}', *blocks])

    def section(self) -> Section:
        """For a page."""
        return Section(self.title, ''.join(block.html() for block in self.blocks))


def latex_text(text: str) -> str:
    """Text with the special characters of LaTeX escaped."""
    return ''.join(_LATEX.get(character, character) for character in printable(text))
