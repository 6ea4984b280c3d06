# SPDX-License-Identifier: Apache-2.0
"""The command line of training."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from programs import run_program

from vtg.engine import load_config
from vtg.engine.run_folder import store_options, with_stored_options
from vtg.utils import ConfigError, DataError, read_json

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / 'tests/engine/helpers/toy.py'


def call(script, *arguments, cwd=ROOT):
    """Run a script of tools/ and return status, output and errors."""
    done = run_program(
        [sys.executable, ROOT / 'tools' / script, *arguments],
        cwd=cwd,
        env={**os.environ, 'PYTHONPATH': f'{ROOT}:{ROOT}/tests/engine/helpers'},
    )
    return done.returncode, done.stdout, done.stderr


def test_help_imports_nothing_heavy():
    code = (
        'import sys, runpy; sys.argv = ["train.py", "--help"]\n'
        'try: runpy.run_path("tools/train.py", run_name="__main__")\n'
        'except SystemExit: pass\n'
        'assert not {"torch", "mmengine"} & set(sys.modules), "heavy import"'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], cwd=ROOT, env={'PYTHONPATH': str(ROOT)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert '--work-dir' in done.stdout and '--resume' in done.stdout


def test_trains_into_the_default_folder(tmp_path):
    status, _, errors = call(
        'train.py', CONFIG, '--seed', '5', '--amp', '--cfg-options', 'train_cfg.max_epochs=1',
        cwd=tmp_path,
    )  # fmt: skip
    assert status == 0, errors
    assert (tmp_path / 'work_dirs/helpers_toy/epoch_1.pth').is_file()
    assert [path.name for path in tmp_path.iterdir()] == ['work_dirs']


@pytest.fixture
def train_toy(monkeypatch, capsys, tmp_path):
    """``train_toy(*arguments)``: run tools/train.py in this process; its status and output."""
    monkeypatch.syspath_prepend(str(CONFIG.parent))
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, 'argv', ['train.py', *map(str, (CONFIG, *arguments))])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(ROOT / 'tools/train.py'), run_name='__main__')
        return end.value.code, *capsys.readouterr()

    return run


def test_resume_takes_the_options_of_the_run(train_toy, tmp_path):
    folder = tmp_path / 'run'
    options = ('train_cfg.max_epochs=1', '+model.dim=9')
    status, _, errors = train_toy('--work-dir', folder, '--resume', '--cfg-options', *options)
    assert status == 1 and errors.endswith('or give the folder of the run by --work-dir.\n')
    assert errors.startswith(f'error: --resume found no checkpoint in {folder}')
    status, _, errors = train_toy('--work-dir', folder, '--resume', folder / 'epoch_7.pth')
    assert status == 1 and 'epoch_7.pth does not exist' in errors and not folder.exists()
    status, _, errors = train_toy(
        '--work-dir', folder, '--seed', 5, '--amp', '--cfg-options', *options
    )
    assert status == 0, errors
    assert read_json(folder / 'options.json') == {
        'cfg_options': list(options), 'amp': 'bf16', 'seed': 5, 'rehearsal': False,
        'limit': None, 'compile': False,
    }  # fmt: skip
    status, _, errors = train_toy('--work-dir', folder)
    assert status == 1 and '--resume, or give a new folder by --work-dir.' in errors
    more = ('--cfg-options', 'train_cfg.max_epochs=2', 'resume_schedule=new')
    status, output, errors = train_toy('--work-dir', folder, '--resume', *more)
    assert status == 0 and 'going on after epoch 1 of 2' in output
    assert (folder / 'epoch_2.pth').is_file()
    kept = load_config(folder / 'toy.py')
    assert kept.model.dim == 9 and kept.optim_wrapper.dtype == 'bfloat16'
    assert kept.randomness.seed == 5 and kept.train_cfg.max_epochs == 2 and kept.resume is False


def test_compile_reaches_the_model(train_toy, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr('torch.nn.Module.compile', lambda self, **options: seen.append(options))
    last = ('--cfg-options', 'train_cfg.max_epochs=1')
    status, output, errors = train_toy('--work-dir', tmp_path / 'a', '--compile', *last)
    assert status == 0 and seen == [{}], errors
    assert 'compiling the training step: the first steps take minutes' in output
    assert load_config(tmp_path / 'a' / 'toy.py').compile is True


@pytest.mark.parametrize(
    ('stored', 'given', 'merged'),
    [
        (['a=1', '+b=2'], [], ['a=1', '+b=2']),
        (['a=1', '+b=2'], ['b=3', 'c=4'], ['a=1', '+b=3', 'c=4']),
        (['a=1'], ['a=2'], ['a=2']),
    ],
)
def test_given_options_win(tmp_path, stored, given, merged):
    store_options(tmp_path, {'cfg_options': stored, 'amp': 'bf16', 'seed': 5, 'rehearsal': True})
    now = {'cfg_options': given, 'amp': 'fp16', 'seed': 0, 'rehearsal': False}
    assert with_stored_options(tmp_path, now) == {
        'cfg_options': merged, 'amp': 'fp16', 'seed': 0, 'rehearsal': True
    }  # fmt: skip
    assert with_stored_options(tmp_path / 'none', now) == now
    for folder in (tmp_path, tmp_path / 'none'):
        with pytest.raises(ConfigError, match='gives a twice'):
            with_stored_options(folder, {**now, 'cfg_options': ['a=1', '+a=2']})


@pytest.mark.parametrize(
    'text', ['[]', '{"x": 1}', '{"seed": "1"}', '{"cfg_options": [1]}', '{"amp": "bf17"}', '{']
)
def test_damaged_options_are_one_sentence(tmp_path, text):
    (tmp_path / 'options.json').write_text(text)
    given = {'cfg_options': [], 'amp': None, 'seed': None, 'rehearsal': False}
    with pytest.raises(DataError, match=r'options\.json'):
        with_stored_options(tmp_path, given)


def test_a_mistake_is_one_sentence(tmp_path):
    status, output, errors = call('train.py', CONFIG, '--cfg-options', 'modle.dim=3', cwd=tmp_path)
    assert status == 1 and output == '' and errors.startswith('error: --cfg-options names modle')
    assert 'did you mean model?' in errors and len(errors.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (('--work-dir', 'run', '--resume', 'folder'), 'folder is a folder; give the path of an'),
        (('--work-dir', 'file', '--resume'), 'file: it is a file where a folder is expected'),
        (('--work-dir', 'file', '--resume', 'folder'), 'folder is a folder; give the path of an'),
        (('--work-dir', 'file'), 'file: it is a file where a folder is expected'),
        (('--work-dir', 'file/run'), 'a part of the path is a file where a folder is expected'),
        (('--work-dir', 'run', '--resume', 'file'), 'file'),
    ],
)
def test_files_in_the_place_of_folders_and_the_reverse(train_toy, tmp_path, arguments, words):
    (tmp_path / 'file').write_text('mine')
    (tmp_path / 'folder').mkdir()
    places = [text if text.startswith('--') else str(tmp_path / text) for text in arguments]
    status, _, errors = train_toy(*places)
    assert status == 1 and errors.startswith('error: ') and words in errors
    assert len(errors.splitlines()) == 1 and errors.endswith('.\n')
    assert (tmp_path / 'file').read_text() == 'mine' and not list((tmp_path / 'folder').iterdir())
