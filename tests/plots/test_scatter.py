# SPDX-License-Identifier: Apache-2.0
import math

import pytest

from vtg.plots.scatter import plot_scatter
from vtg.utils import ConfigError, DataError

RUNS = """size,recipe,seed,mAP,note
0,a,0,1,x
100,a,0,10,x
100,a,1,14,x
1000,b,0,20,x
1000,b,1,,x
"""
SWEEP = """config,size,seeds,finished,parameters,mAP mean,mAP std,R1 mean,R1 std
a,10,3,2,100,5.0,0.5,1.0,
b,20,3,0,,,,,
"""


@pytest.fixture
def table(tmp_path):
    def write(text):
        path = tmp_path / 'table.csv'
        path.write_text(text)
        return path

    return write


def test_rows_of_equal_x_are_runs_of_a_point(table, tmp_path):
    out = tmp_path / 'x.svg'
    found = plot_scatter(table(RUNS), 'size', ['mAP'], out, 'recipe', log_x=True, title='T')
    first, second = found['mAP']['a']
    assert (first.x, first.mean, first.runs) == (0, 1, 1) and math.isnan(first.deviation)
    assert (second.x, second.mean, second.runs) == (100, 12, 2)
    assert second.deviation == pytest.approx(math.sqrt(8))
    assert [point.mean for point in found['mAP']['b']] == [20]
    text = out.read_text()
    assert 'size' in text and '1k' in text and 'recipe' not in text
    (points,) = plot_scatter(table(RUNS), 'size', ['mAP'], tmp_path / 'x.png')['mAP'].values()
    assert [point.x for point in points] == [0, 100, 1000]


def test_means_and_deviations_of_a_sweep(table, tmp_path):
    found = plot_scatter(table(SWEEP), 'parameters', ['mAP', 'R1'], tmp_path / 'x.png', log_x=True)
    (point,) = found['mAP']['']
    assert (point.x, point.mean, point.deviation, point.runs) == (100, 5, 0.5, 2)
    assert math.isnan(found['R1'][''][0].deviation)


@pytest.mark.parametrize(('text', 'x', 'y', 'error', 'sentence'), [
    (RUNS, 'siz', 'mAP', ConfigError, "has no column 'siz'; did you mean size"),
    (SWEEP, 'size', 'mAPP', ConfigError, "has no column 'mAPP'; did you mean mAP"),
    (RUNS, 'size', 'note', DataError, "no row with numbers in both 'size' and 'note'"),
    ('a,b\n', 'a', 'b', DataError, 'holds no table'),
    ('a,b\n1\n', 'a', 'b', DataError, 'line 2: 1 cells, but the header has 2'),
    ('a,a\n1,2\n', 'a', 'a', DataError, "line 1: the column 'a' occurs twice"),
    (f'a,b\n1,{"x" * 200_000}\n', 'a', 'b', DataError, 'line 2: field larger .*; expected a table'),
    ('a,b\n1e308,1e308\n', 'a', 'b', DataError, 'no row with numbers in both'),
])  # fmt: skip
def test_mistakes_are_sentences(table, tmp_path, text, x, y, error, sentence):
    with pytest.raises(error, match=sentence):
        plot_scatter(table(text), x, [y], tmp_path / 'x.png')
    assert not (tmp_path / 'x.png').exists()
