# SPDX-License-Identifier: Apache-2.0
"""Means and deviations of a sweep."""

import csv
import io

import pytest

from vtg.sweeps import Cell, summarise

A, B = (Cell((('model.fusion.type', name), ('model.neck', 'None'))) for name in ('ACA', 'SGCA'))


def result(value, **more):
    metrics = {'MR-full-mAP': value, 'MR-short-mAP': value / 2, **more}
    return {
        'metrics': metrics,
        'headlines': ['MR-full-mAP', 'MR-full-R1@0.5'],
        'parameters': 10,
        'seconds': 1.5,
        'seed': 0,
    }


@pytest.fixture
def summary():
    return summarise(
        [
            (A, 0, result(40.0), None),
            (A, 1, result(43.0), None),
            (A, 2, None, None),
            (B, 0, result(50.0), None),
            (B, 1, None, 'error: no | memory'),
        ]
    )


def test_terminal_table(summary):
    lines = summary.table().splitlines()
    assert [cell.strip() for cell in lines[1].strip('|').split('|')] == [
        'fusion.type', 'model.neck', 'seeds', 'MR-full-mAP'
    ]  # fmt: skip
    assert '41.50 ± 2.12' in lines[3] and '2/3' in lines[3]
    assert lines[4].endswith(' 50.00 |') and '1/2' in lines[4] and '±' not in lines[4]
    assert lines[-1].startswith('failed: model.fusion.type=SGCA') and 'seed 1' in lines[-1]


def test_markdown(summary):
    lines = summary.markdown().splitlines()
    assert lines[0] == '| fusion.type | model.neck | seeds | MR-full-mAP |'
    assert lines[1] == '| --- | --- | --- | ---: |'
    assert lines[2] == '| ACA | None | 2/3 | 41.50 ± 2.12 |'
    assert lines[-1].startswith('- model.fusion.type=SGCA')


def test_csv(summary):
    first, second = csv.DictReader(io.StringIO(summary.csv()))
    assert float(first['MR-full-mAP mean']) == 41.5
    assert float(first['MR-short-mAP std']) == pytest.approx(1.5 / 2**0.5)
    assert first['finished'] == '2' and second['MR-full-mAP std'] == ''
    runs = list(csv.DictReader(io.StringIO(summary.runs_csv())))
    assert [run['status'] for run in runs] == [
        'finished', 'finished', 'unfinished', 'finished', 'failed'
    ]  # fmt: skip
    assert runs[1]['MR-full-mAP'] == '43.0' and runs[4]['model.fusion.type'] == 'SGCA'


def test_chosen_metrics_and_nothing_finished(tmp_path):
    summary = summarise([(A, 0, result(40.0), None)], ['MR-short-mAP', 'unknown'])
    assert '| 20.00 | - |' in summary.markdown()
    empty = summarise([(Cell(()), 0, None, None)])
    empty.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        'sweep.txt', 'sweep.md', 'sweep.csv', 'runs.csv'
    }  # fmt: skip
    assert '0/1' in empty.table()
