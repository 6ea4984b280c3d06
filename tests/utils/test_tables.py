# SPDX-License-Identifier: Apache-2.0
"""Tables for a terminal, Markdown and spreadsheets, without codes and formulas of users."""

import csv
import io

import pytest

from vtg.utils import csv_text, markdown_table, mean_cell, terminal_table, two_decimals


@pytest.mark.parametrize('cell', ['=1+1', '+cmd', '-2+3', '@SUM(A1)', ' =1', '-'])
def test_csv_cells_are_no_formulas(cell):
    ((read, number),) = csv.reader(io.StringIO(csv_text([[cell, -1.5]])))
    assert read == f"'{cell}" and number == '-1.5'


def test_csv_keeps_numbers_and_text():
    rows = [['a,b', '-1e-3', '+5', 3, None, 'x=y', 'two\nlines']]
    read = list(csv.reader(io.StringIO(csv_text(rows))))
    assert read == [['a,b', '-1e-3', '+5', '3', '', 'x=y', 'two\nlines']]


def test_markdown_table():
    table = markdown_table(['name', 'value'], [['a|b', '1.00']], 1)
    assert table == '| name | value |\n| --- | ---: |\n| a\\|b | 1.00 |'


def test_terminal_table():
    rows = [['a\x1b', '1.00'], ['total', '10.00']]
    lines = terminal_table(['name', 'per cent'], rows, 'T', total=True).split('\n')
    assert lines[0].startswith('+T--')
    assert lines[3:] == [
        r'| a\x1b |     1.00 |',
        lines[2],
        '| total |    10.00 |',
        lines[2],
    ]


def test_a_mean_has_its_deviation_where_there_is_one():
    assert mean_cell(71.254, 0.5) == '71.25 ± 0.50'
    assert mean_cell(71.254, None) == '71.25' and mean_cell(None, None) == '-'


def test_two_decimals():
    shown = [two_decimals(value) for value in (1, 2.346, None, float('nan'))]
    assert shown == ['1.00', '2.35', '-', '-']
