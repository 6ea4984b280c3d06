# SPDX-License-Identifier: Apache-2.0
"""Paired comparisons of rows."""

import csv
import io
import math

import pytest

from vtg.sweeps import Cell, summarise
from vtg.sweeps.comparison import compare, difference

# Two-sided p of t with two degrees of freedom: 1 - t / sqrt(t^2 + 2).
DIFFERENCES = [1.0, 3.0, 2.0]


def p_of_three(values):
    mean = sum(values) / 3
    variance = sum((v - mean) ** 2 for v in values) / 2
    t = abs(mean) / math.sqrt(variance / 3)
    return 1 - t / math.sqrt(t * t + 2)


def test_a_paired_t_test_by_hand():
    found = difference(DIFFERENCES)
    assert (found.pairs, found.mean, found.deviation, found.higher) == (3, 2.0, 1.0, 3)
    assert found.p == pytest.approx(p_of_three(DIFFERENCES))
    assert str(found) == f'+2.00 ± 1.00 (p = {p_of_three(DIFFERENCES):.3f})'
    assert difference([-1.0, 0.0, -2.5]).p == pytest.approx(p_of_three([-1.0, 0.0, -2.5]))


def test_too_few_pairs_and_no_spread():
    assert str(difference([])) == '-' and difference([]).mean is None
    assert str(difference([-1.5])) == '-1.50' and difference([-1.5]).p is None
    assert str(difference([2.0, 2.0])) == '+2.00 ± 0.00' and difference([0.0, 0.0]).p is None


def row(config, label, **by_seed):
    return config, (label,), {int(k[1:]): {'mAP': v} for k, v in by_seed.items()}


def test_pairs_are_of_the_same_seed_and_config():
    rows = [
        row('qd', '-', s0=10.0, s1=20.0, s2=30.0),
        row('qd', 'idea', s2=32.0, s0=11.0, s1=23.0, s7=99.0),
        row('cg', '-', s0=50.0, s1=60.0),
        row('cg', 'idea', s1=None, s0=49.0),
    ]
    qd, cg, everyone = compare(rows, ['mAP', 'none'])
    assert qd.differences['mAP'] == difference([2.0, 1.0, 3.0])
    assert qd.pairs == 3 and cg.differences['mAP'] == difference([-1.0])
    assert cg.differences['none'].pairs == 0
    # One pair per config: its mean difference.
    assert (everyone.config, everyone.label) == ('all', ('idea',))
    assert everyone.differences['mAP'] == difference([2.0, -1.0])
    assert [one.config for one in compare(rows[:2], ['mAP'])] == ['qd']


def test_tables_of_a_sweep():
    def result(value):
        return {'metrics': {'MR-full-mAP': value}, 'parameters': 1, 'seconds': 1.0}

    cells = {name: Cell((('model.fusion.type', name),)) for name in ('ACA', 'SGCA')}
    values = {'ACA': (40.0, 42.0, 41.0), 'SGCA': (41.0, 45.0, 43.0)}
    results = [
        (cells[name], seed, result(value), None)
        for name, row_values in values.items()
        for seed, value in enumerate(row_values)
    ]
    summary = summarise(results)
    text = f'+2.00 ± 1.00 (p = {p_of_three(DIFFERENCES):.3f})'
    assert f'| SGCA | 3 | {text} |' in summary.markdown()
    assert 'paired t-test' in summary.markdown() and text in summary.table()
    (line,) = csv.DictReader(io.StringIO(summary.differences_csv()))
    assert line['row'] == 'SGCA' and float(line['p']) == pytest.approx(p_of_three(DIFFERENCES))
    assert summarise(results[::3]).comparisons() == []
