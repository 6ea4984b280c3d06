# SPDX-License-Identifier: Apache-2.0
"""The command line of training."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def call(script, *arguments, cwd=ROOT):
    """Run a script of tools/ and return status, output and errors."""
    done = subprocess.run(
        [sys.executable, ROOT / 'tools' / script, *arguments],
        cwd=cwd,
        env={**os.environ, 'PYTHONPATH': f'{ROOT}:{ROOT}/tests/engine/helpers'},
        capture_output=True,
        text=True,
        timeout=300,
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
    config = ROOT / 'tests/engine/helpers/toy.py'
    status, _, errors = call(
        'train.py', config, '--seed', '5', '--amp', '--cfg-options', 'train_cfg.max_epochs=1',
        cwd=tmp_path,
    )  # fmt: skip
    assert status == 0, errors
    assert (tmp_path / 'work_dirs/helpers_toy/epoch_1.pth').is_file()
    assert [path.name for path in tmp_path.iterdir()] == ['work_dirs']


def test_a_mistake_is_one_sentence(tmp_path):
    config = ROOT / 'tests/engine/helpers/toy.py'
    status, output, errors = call('train.py', config, '--cfg-options', 'modle.dim=3', cwd=tmp_path)
    assert status == 1 and output == '' and errors.startswith('error: --cfg-options names modle')
    assert 'did you mean model?' in errors and len(errors.splitlines()) == 1
    assert not list(tmp_path.iterdir())
