# SPDX-License-Identifier: Apache-2.0
"""The table of a sweep in a page, and the CSV file that it is made of."""

import pytest

from vtg.sweeps import Cell, read_runs, summarise, write_page
from vtg.sweeps.page import BEGIN, END, runs_file
from vtg.utils import ConfigError

SHOWN = ('untrained/MR-full-mAP', 'MR-full-mAP', 'cpu_seconds', 'parameters')
PAGE = f'# Title\n\nWords before.\n\n{BEGIN}\nan old table\n{END}\n\nWords behind.\n'


def result(value):
    metrics = {'untrained/MR-full-mAP': value / 10, 'MR-full-mAP': value, 'MR-short-mAP': 1.0}
    return {'metrics': metrics, 'parameters': 10, 'seconds': 4.5, 'cpu_seconds': 1 + value / 3}


def summary():
    first, second = (Cell((('config', name), ('add', 'none'))) for name in ('umt', 'qd_detr'))
    return summarise(
        [
            (first, 0, result(40.0), None),
            (first, 2, result(43.0), None),
            (second, 0, result(50.0), None),
            (second, 1, None, None),
            (second, 2, None, 'error: no, memory'),
        ],
        SHOWN,
    )


def test_the_table_can_be_made_again_from_the_file_beside_the_page(tmp_path):
    page = tmp_path / 'demos.md'
    page.write_text(PAGE)
    for _ in range(2):
        write_page(page, summary())
        text = page.read_text()
        assert text.startswith(f'# Title\n\nWords before.\n\n{BEGIN}\n\n| config | add |')
        assert text.endswith(f'\n\n{END}\n\nWords behind.\n') and 'old' not in text
    assert '| umt | none | 2/2 | 4.15 ± 0.21 | 41.50 ± 2.12 | 14.83 ± 0.71 | 10.00 ± 0.00 |' in text
    assert '| qd_detr | none | 1/3 | 5.00 | 50.00 | 17.67 | 10.00 |' in text
    again = read_runs(runs_file(page))
    assert again.metrics == SHOWN and 'short' not in runs_file(page).read_text()
    for row, read in zip(summary().rows, again.rows, strict=True):
        kept = {seed: {n: known[n] for n in SHOWN[:2]} for seed, known in row.results.items()}
        assert read.results == kept
    table = summary().markdown().replace('error: no, memory', 'failed')
    assert again.markdown() == table


def test_a_page_without_a_place_is_refused(tmp_path):
    page = tmp_path / 'page.md'
    for text in (None, '# Title\n', f'{END}\n{BEGIN}\n'):
        if text:
            page.write_text(text)
        with pytest.raises(ConfigError, match=r'page.md has no place for a table; write a page'):
            write_page(page, summary())
    assert not runs_file(page).exists()
