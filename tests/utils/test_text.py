# SPDX-License-Identifier: Apache-2.0
"""What users write is obeyed by no terminal, no spreadsheet and no browser."""

import csv
import io
import pickle

import pytest

from vtg.utils import DataError, csv_text, markdown_table, markdown_text, printable, shown


def test_printable():
    assert printable('ein Hund läuft') == 'ein Hund läuft'
    assert printable('\x1b[31mred\n') == r'\x1b[31mred\n'
    assert printable('a\nb\x07', keep='\n') == 'a\nb\\x07'
    assert printable(7) == '7'


def test_errors_never_carry_terminal_codes():
    error = DataError('a\x1b[2J.jsonl is wrong.\nSo is b.')
    assert str(error) == 'a\\x1b[2J.jsonl is wrong.\nSo is b.'
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_shown_is_short():
    assert shown('\x1b') == r"'\x1b'"
    assert shown([1, None]) == '[1, None]'
    assert len(shown(10**400)) == 60 and shown(10**400).endswith('...')


@pytest.mark.parametrize('cell', ['=1+1', '+cmd', '-2+3', '@SUM(A1)', ' =1', '-'])
def test_csv_cells_are_no_formulas(cell):
    ((read, number),) = csv.reader(io.StringIO(csv_text([[cell, -1.5]])))
    assert read == f"'{cell}" and number == '-1.5'


def test_csv_keeps_numbers_and_text():
    rows = [['a,b', '-1e-3', '+5', 3, None, 'x=y', 'two\nlines']]
    read = list(csv.reader(io.StringIO(csv_text(rows))))
    assert read == [['a,b', '-1e-3', '+5', '3', '', 'x=y', 'two\nlines']]


def test_markdown_has_no_markup_of_users():
    assert markdown_text('<img src=x>&') == '&lt;img src=x&gt;&amp;'
    assert markdown_text('a|b\n# c') == r'a\|b # c'
    assert markdown_text('![x](http://a)') == r'!\[x\](http://a)'
    assert markdown_text('`\x1b') == r'\`\\x1b'
    assert markdown_text('model.moment_head, R1@0.5') == 'model.moment_head, R1@0.5'
    table = markdown_table(['name', 'value'], [['a|b', '1.00']], 1)
    assert table == '| name | value |\n| --- | ---: |\n| a\\|b | 1.00 |'
