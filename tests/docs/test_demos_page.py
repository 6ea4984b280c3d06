# SPDX-License-Identifier: Apache-2.0
"""The figures of the demos on the pages are those of the committed trainings."""

import re
from pathlib import Path

import pytest

from vtg.sweeps import read_runs
from vtg.sweeps.page import runs_file, table_place

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / 'docs' / 'demos.md'
MAP, HIT1 = 'MR-full-mAP', 'HL-min-VeryGood-Hit1'
# Points of either metric above the untrained model, with every seed.
LEARNED = 25
SYSTEMS = sorted(path.stem for path in (ROOT / 'configs' / '_base_' / 'models').glob('*.py'))


@pytest.fixture(scope='module')
def rows():
    return {row.cell.values[0][1]: row for row in read_runs(runs_file(PAGE)).rows}


def test_the_table_is_that_of_the_trainings(rows):
    assert table_place(PAGE)[1].strip() == read_runs(runs_file(PAGE)).markdown().strip()
    assert sorted(rows) == SYSTEMS


@pytest.mark.parametrize('name', SYSTEMS)
def test_every_demo_learns_clearly_with_every_seed_that_is_finished(rows, name):
    row = rows[name]
    assert row.seeds == 3 and not row.failures
    for result in row.results.values():
        for metric in (MAP, HIT1):
            assert result[metric] > result[f'untrained/{metric}'] + LEARNED, metric


def test_the_readme_states_the_demo_of_the_table(rows):
    text = ' '.join((ROOT / 'README.md').read_text(encoding='utf-8').split())
    # The report of the command, which has seed 0.
    for metric in (MAP, HIT1):
        assert re.search(rf'\| {metric} +\| {rows["sgdetr"].results[0][metric]:.2f} \|', text)
    # And what it is over all seeds.
    cells = markdown_cells('sgdetr')
    assert f'MR-full-mAP of {cells[MAP]} and a HIT@1 of {cells[HIT1]}' in text
    before = (cells[f'untrained/{MAP}'], cells[f'untrained/{HIT1}'])
    assert f'untrained model has {before[0]} and {before[1]}' in text


def test_the_pages_of_the_systems_leave_figures_of_demos_to_the_table():
    for name in SYSTEMS:
        text = (ROOT / 'configs' / name / 'README.md').read_text(encoding='utf-8')
        assert '(../../docs/demos.md)' in text, name
        for block in re.split(r'\n\n|\n\|', text):
            if 'demo' in block.lower():
                assert not re.search(r'\b\d\d\.\d', block), f'{name}: {block}'


def markdown_cells(name: str) -> dict[str, str]:
    """The cells of a row of the table by the names of their columns."""
    lines = [line for line in table_place(PAGE)[1].splitlines() if line.startswith('|')]
    header, *others = ([cell.strip() for cell in line.strip('|').split('|')] for line in lines)
    return next(dict(zip(header, cells)) for cells in others if cells[0] == name)
