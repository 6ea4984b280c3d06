# SPDX-License-Identifier: Apache-2.0
"""The processes of a sweep: with a stand-in for training, and one real training."""

import json
import os
import signal
import sys
import textwrap
from pathlib import Path

import pytest

from vtg.sweeps import execution, run_sweep
from vtg.utils import ConfigError

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / 'configs/sgdetr/demo.py'
GRID = ['model.defaults.dim=8,16']

# Counts its calls; width 16 behaves as the file `behaviour` beside the sweep says.
STAND_IN = """
    import json, os, pathlib, sys, time
    config, folder, seed = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[4])
    wide = "'dim': 16" in open(config).read()
    root = folder.parents[1]
    with open(folder / 'calls', 'a') as file:
        file.write('x')
    behaviour = (root / 'behaviour').read_text() if wide else 'finish'
    print('starting', os.environ.get('OMP_NUM_THREADS'))
    if behaviour == 'crash':
        sys.exit('error: there is no such thing.\\n\\n')
    if behaviour == 'hang':
        time.sleep(60)
    metrics = {'MR-full-mAP': 10.0 * wide + seed}
    result = {'metrics': metrics, 'parameters': 1, 'seconds': 0.0, 'seed': seed}
    (folder / 'done.json').write_text(json.dumps(result))
"""


@pytest.fixture
def sweep(tmp_path, monkeypatch):
    """``sweep(behaviour, **options)``: run the stand-in; returns summary, lines and folder."""
    script = tmp_path / 'stand_in.py'
    script.write_text(textwrap.dedent(STAND_IN))
    monkeypatch.setattr(execution, 'COMMAND', (sys.executable, str(script)))
    out = tmp_path / 'out'
    out.mkdir()

    def run(behaviour='finish', say=None, **options):
        (out / 'behaviour').write_text(behaviour)
        lines = []
        options = {'grids': GRID, 'seeds': [0, 1], **options}
        summary = run_sweep(CONFIG, out=out, say=say or lines.append, **options)
        return summary, lines, out

    return run


def calls(out):
    files = out.glob('*/*/calls')
    return {f'{path.parents[1].name[:2]}/{path.parent.name}': path.read_text() for path in files}


@pytest.mark.parametrize('jobs', [1, 3])
def test_all_combinations_run_once(sweep, jobs):
    summary, lines, out = sweep(jobs=jobs)
    assert [row.numbers['MR-full-mAP'] for row in summary.rows] == [[0.0, 1.0], [10.0, 11.0]]
    assert lines[0] == '[1/4] model.defaults.dim=8, seed 0'
    assert '10.50 ± 0.71' in (out / 'sweep.md').read_text()
    assert summary.failures == []
    again, lines, _ = sweep(jobs=jobs)
    assert again.rows == summary.rows and lines == ['4 of 4 trainings are finished already']
    assert set(calls(out).values()) == {'x'}


def test_a_grid_can_grow(sweep):
    sweep(seeds=[0])
    summary, _, out = sweep(grids=['model.defaults.dim=4,16,8'], seeds=[0, 5])
    assert [row.finished for row in summary.rows] == [2, 2, 2]
    assert set(calls(out).values()) == {'x'}


def test_a_crash_is_recorded_and_tried_again(sweep):
    summary, lines, out = sweep('crash')
    assert summary.rows[0].finished == 2 and summary.rows[1].finished == 0
    failure = 'model.defaults.dim=16, seed 0: error: there is no such thing.'
    assert summary.failures[0] == failure and f'failed: {failure}' in lines
    assert failure in (out / 'sweep.md').read_text()
    summary, _, _ = sweep('finish')
    assert summary.failures == [] and summary.rows[1].finished == 2
    assert calls(out) == {
        '8-/seed_0': 'x', '8-/seed_1': 'x', '16/seed_0': 'xx', '16/seed_1': 'xx'
    }  # fmt: skip


def test_interruption_stops_the_processes_and_keeps_what_is_finished(sweep):
    def say(line):
        if 'dim=16' in line and line.startswith('['):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep('hang', say=say, jobs=2)
    summary, lines, out = sweep('finish')
    assert summary.failures == [] and [row.finished for row in summary.rows] == [2, 2]
    assert calls(out)['8-/seed_0'] == 'x' or 'finished' not in lines[0]


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_running_processes_are_stopped(sweep, monkeypatch, number):
    started = []
    start = execution._start

    def counted(run, jobs):
        start(run, jobs)
        started.append(run)
        if len(started) == 3:
            os.kill(os.getpid(), number)

    monkeypatch.setattr(execution, '_start', counted)
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(KeyboardInterrupt):
        sweep('hang', jobs=3)
    assert len(started) == 3
    assert all(run.process.poll() is not None for run in started)
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before


def test_mistakes_are_found_before_anything_runs(sweep, tmp_path):
    with pytest.raises(ConfigError, match='SGCX'):
        sweep(grids=['model.fusion.type=SGCA,SGCX'])
    with pytest.raises(ConfigError, match='--seeds must be different'):
        sweep(seeds=[1, 1])
    with pytest.raises(ConfigError, match='--jobs must be at least 1'):
        sweep(jobs=0)
    assert not list((tmp_path / 'out').glob('*/seed_*'))


def test_another_config_in_the_same_folder_is_refused(sweep):
    sweep()
    with pytest.raises(ConfigError, match='holds trainings of another config'):
        sweep(cfg_options=['model.encoder.num_layers=1'])


def test_a_real_training(tmp_path):
    small = tmp_path / 'small.py'
    loader = 'dict(batch_size=4, dataset=dict(num_samples=8, num_clips=(12, 14)))'
    small.write_text(
        f'_base_ = {str(CONFIG)!r}\n'
        'model = dict(defaults=dict(dim=16, hidden_dim=16))\n'
        f'train_dataloader = {loader}\nval_dataloader = {loader}\n'
        'train_cfg = dict(max_epochs=1, val_interval=1)\nparam_scheduler = []\n'
        'optim_wrapper = dict(optimizer=dict(lr=0.0))\n'
    )
    grid = ['model.encoder.num_layers=1', '+model.fusion.dim=16,8']
    asked = ['MR-full-mAP', 'cpu_seconds', 'parameters']
    summary = run_sweep(small, grid, [7], tmp_path / 'out', 2, metrics=asked, untrained=True)
    good, bad = summary.rows
    # At a rate of 0 the weights stay what they were before the first step.
    before = {name: value for name, value in good.results[7].items() if '/' in name}
    after = {f'untrained/{n}': v for n, v in good.results[7].items() if '/' not in n}
    assert before == pytest.approx(after, abs=0.01) and len(before) > 10
    assert good.numbers['cpu_seconds'][0] > 1
    assert 0 <= good.numbers['MR-full-mAP'][0] <= 100 and good.parameters > 1000
    ((seed, line),) = bad.failures
    assert seed == 7 and 'error: model.' in line and '8 channels' in line
    (folder,) = (tmp_path / 'out').glob('*-16-*/seed_7') or (None,)
    assert (folder / 'report_val.json').is_file()
    assert json.loads((folder / 'done.json').read_text())['seed'] == 7
