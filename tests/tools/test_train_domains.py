# SPDX-License-Identifier: Apache-2.0
"""The command lines of the domain protocol and of the conversion of ratings."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def call(script, *arguments, cwd=ROOT):
    done = subprocess.run(
        [sys.executable, ROOT / 'tools' / script, *map(str, arguments)],
        cwd=cwd,
        env={'PYTHONPATH': str(ROOT), 'PATH': '', 'HOME': str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.returncode, done.stdout, done.stderr


def test_mistakes_are_one_sentence(tmp_path):
    config = ROOT / 'configs' / 'qd_detr' / 'tvsum_demo.py'
    status, output, errors = call('train_domains.py', config, '--domains', 'BX', cwd=tmp_path)
    assert status == 1 and not output and len(errors.splitlines()) == 1
    assert "error: --domains names 'BX'; choose" in errors
    status, _, errors = call('train_domains.py', config, '--seeds', '0,a', cwd=tmp_path)
    assert status == 2 and '--seeds expects whole numbers' in errors
    assert not list(tmp_path.iterdir())


def test_ratings_are_converted(shared, tmp_path):
    folder = shared / 'data' / 'tvsum'
    status, output, errors = call(
        'convert_ratings.py',
        folder / 'tvsum_train_sfc.json.gz',
        folder / 'tvsum_splits.json',
        tmp_path,
    )
    assert status == 0, errors
    assert 'train.jsonl: 40 videos' in output and 'val.jsonl: 10 videos' in output
    status, _, errors = call('convert_ratings.py', 'none.json', 'none.json', tmp_path)
    assert status == 1 and errors.startswith('error: none.json does not exist')
