# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import pytest

from vtg.plots.curves import plot_curves
from vtg.utils import ConfigError


@pytest.fixture
def run(tmp_path) -> Path:
    folder = tmp_path / '_$run'
    folder.mkdir()
    lines = [
        {'loss': 1 / epoch, 'loss_span': 0.1, 'loss_span_0': 0.2, 'epoch': epoch, 'step': epoch}
        for epoch in range(1, 4)
    ]
    lines += [{'q/MR-full-mAP': 30.0, 'q/own': 1.0, 'step': 3}]
    (folder / 'scalars.json').write_text('\n'.join(map(json.dumps, lines)))
    return folder


@pytest.mark.parametrize(
    ('ending', 'start'), [('.png', b'\x89PNG'), ('.svg', b'<?xml'), ('.PDF', b'%PDF')]
)
def test_endings_choose_the_format(run, tmp_path, ending, start):
    before = dict(matplotlib.rcParams)
    _, out = plot_curves([str(run), f'b={run}'], tmp_path / 'new' / f'x{ending}', title='<$a$>')
    assert out.read_bytes().startswith(start)
    assert dict(matplotlib.rcParams) == before
    assert [path.name for path in out.parent.iterdir()] == [f'x{ending}']


def test_what_is_drawn(run, tmp_path):
    def lines(*names: str, **options: bool) -> int:
        out = plot_curves([str(run), str(run)], tmp_path / 'x.svg', names, **options)[1]
        root = ElementTree.parse(out).getroot()
        ids = [element.get('id', '') for element in root.iter()]
        return sum(name.startswith('axes_') for name in ids)

    assert lines() == 2  # loss and MR-full-mAP
    assert lines('loss*', 'own', log_scale=True) == 4
    assert lines('loss_span', 'loss_span') == 1


def test_the_same_picture_is_the_same_file(run, tmp_path):
    first, second = (plot_curves([str(run)], tmp_path / f'{n}.svg')[1] for n in 'ab')
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(('out', 'names', 'sentence'), [
    ('x.txt', (), r"ends in '\.txt'; pictures are written as \.pdf, \.png, \.svg"),
    ('x', (), "ends in 'nothing'"),
    ('_$run', (), 'ends in'),
    ('x.png', ('los',), "no run has a curve 'los'; did you mean loss"),
    ('x.png', ('zz*',), r"no run has a curve 'zz\*'; there are loss"),
])  # fmt: skip
def test_mistakes_are_sentences(run, tmp_path, out, names, sentence):
    with pytest.raises(ConfigError, match=sentence):
        plot_curves([str(run)], tmp_path / out, names)
    assert [path.name for path in tmp_path.iterdir()] == ['_$run']


def test_no_input_is_overwritten(run, tmp_path):
    link = tmp_path / 'picture.png'
    link.symlink_to(run / 'scalars.json')
    with pytest.raises(ConfigError, match='is also the input'):
        plot_curves([str(run)], link)


def test_epochs_and_steps_have_no_common_axis(run, tmp_path):
    other = tmp_path / 'steps'
    other.mkdir()
    (other / 'scalars.json').write_text('{"loss": 1, "step": 5}')
    with pytest.raises(ConfigError, match='steps counts steps and no epochs'):
        plot_curves([str(run), str(other)], tmp_path / 'x.png')


def test_a_missing_package_names_the_extra(run, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__('sys').modules, 'matplotlib', None)
    with pytest.raises(ConfigError, match=r'a picture needs .*\[plots\]'):
        plot_curves([str(run)], tmp_path / 'x.png')
