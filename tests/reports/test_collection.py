# SPDX-License-Identifier: Apache-2.0
"""Recorded runs become rows, each once, beside published numbers."""

import re
from pathlib import Path

import pytest

from vtg.reports.collection import (
    collect,
    read_results,
    results_csv,
    results_page,
    system_of,
)
from vtg.reports.report import RunFacts, make_report
from vtg.structures import MAIN, Quantity
from vtg.utils import DataError, write_json, write_text

ROOT = Path(__file__).resolve().parents[2]


def record(folder, seed, value, config='/x/configs/qd_detr/qvhl.py', dataset='QVHighlights'):
    facts = RunFacts(config=config, seed=seed, dataset=dataset, split='val', queries=1550,
                     features='slowfast + clip', selection='epoch 3: best, on val')  # fmt: skip
    metrics = {MAIN: {'MR-full-mAP': value, 'MR-short-mAP': 1.0, 'HL-min-VeryGood-mAP': 39.5}}
    make_report(metrics, facts).save(folder, 'report_val')


@pytest.fixture
def runs(tmp_path):
    for seed, value in ((0, 40.0), (1, 42.0), (2, 44.0)):
        record(tmp_path / f'seed_{seed}', seed, value)
    record(tmp_path / 'copy', 2, 44.0)
    record(tmp_path / 'umt-1a2b3c' / 'seed_0', 0, 50.0, '/s/umt-1a2b3c/config.py', 'simulated data')
    write_json(tmp_path / 'report_other.json', [1])
    write_text(tmp_path / 'report_broken.json', '{')
    return tmp_path


def test_rows_have_mean_and_deviation_beside_published_numbers(runs):
    found, notes = collect([runs])
    assert [(run.system, run.seed) for run in found] == [
        ('qd_detr/qvhl', 0), ('qd_detr/qvhl', 1), ('qd_detr/qvhl', 2), ('umt', 0),
    ]  # fmt: skip
    assert len(notes) == 2 and all('left out' in note for note in notes)
    page = results_page(found)
    (row,) = re.findall(r'\| qd_detr/qvhl \|.*', page)
    assert row == '| qd_detr/qvhl | slowfast + clip | 3 | 42.00 ± 2.00 | 39.50 ± 0.00 |'
    assert re.search(r'\| qd_detr: paper.* \| published \| 41.22 \|', page)
    assert '## simulated data val' in page and '| umt | slowfast + clip | 1 | 50.00 |' in page
    assert 'short' not in page


def test_what_a_metric_shows_first_is_collected(tmp_path):
    """Without a place in any list of names."""
    quantities = [Quantity('own', headline=True), Quantity('detail')]
    facts = RunFacts(config='/x/configs/umt/tvsum.py', dataset='own data', split='val')
    report = make_report({MAIN: {'own': 7.0, 'detail': 8.0}}, facts, quantities=quantities)
    report.save(tmp_path, 'report_val')
    (run,), _ = collect([tmp_path])
    assert run.metrics == {'own': 7.0}


def test_a_page_is_made_from_its_csv_again(runs):
    found, _ = collect([runs])
    file = runs / 'results.csv'
    write_text(file, results_csv(found))
    assert read_results(file) == found
    # With the file as a further place nothing is counted twice.
    assert collect([file, runs])[0] == found


def test_runs_that_differ_under_one_seed_are_said(runs):
    record(runs / 'again', 0, 41.0)
    found, notes = collect([runs])
    assert len(found) == 5
    assert any('qd_detr/qvhl on QVHighlights val has two runs of' in note for note in notes)


def test_what_is_wrong_is_said(tmp_path):
    with pytest.raises(DataError, match='no report_'):
        collect([tmp_path])
    with pytest.raises(DataError, match='does not exist'):
        collect([tmp_path / 'none'])
    write_text(tmp_path / 'x.csv', 'a,b\n')
    with pytest.raises(DataError, match='begins with the columns'):
        collect([tmp_path / 'x.csv'])
    record(tmp_path, 0, 1.0)
    text = results_csv(collect([tmp_path])[0])
    write_text(tmp_path / 'x.csv', text.replace('1550', 'many'))
    with pytest.raises(DataError, match='line 2 has a cell that is no number'):
        collect([tmp_path / 'x.csv'])
    for content, words in (
        (text + 'a,b\n', 'line 3: 2 cells, but the header has 9'),
        ('', r'begins with the columns \[\]'),
        (text + 'x' * 140_000, 'line 3: field larger'),
        ('a,\xff', 'not valid UTF-8'),
    ):
        (tmp_path / 'x.csv').write_text(content, encoding='latin-1')
        with pytest.raises(DataError, match=words):
            read_results(tmp_path / 'x.csv')


def test_names_of_systems():
    assert system_of('/x/configs/umt/tvsum.py') == 'umt/tvsum'
    assert [system_of(name) for name in ('', '.', '/')] == ['', '.', '/']
    assert system_of('/sweep/qd_detr-idea-157d0d/config.py') == 'qd_detr-idea'


def test_the_page_of_results_is_that_of_the_committed_runs():
    runs = read_results(ROOT / 'docs' / 'results.csv')
    assert runs and (ROOT / 'docs' / 'results.md').read_text() == results_page(runs)
