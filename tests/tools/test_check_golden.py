# SPDX-License-Identifier: Apache-2.0
"""tools/check_golden.py as a user runs it."""

import json
import re
import runpy
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = ('eval_edge_qvhighlights', 'nms_postprocess', 'saliency_labels')


@dataclass
class Result:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(monkeypatch, capsys) -> Callable[..., Result]:
    """Run the script in this process: starting another one takes longer than what is tested."""

    def call(*args: object) -> Result:
        monkeypatch.setattr(sys, 'argv', ['check_golden.py', *map(str, args)])
        with pytest.raises(SystemExit) as exit_of:
            runpy.run_path(str(ROOT / 'tools' / 'check_golden.py'), run_name='__main__')
        return Result(exit_of.value.code, *capsys.readouterr())

    return call


@pytest.fixture
def folder(shared, tmp_path) -> Path:
    """A folder with a few sets."""
    for name in NAMES:
        for path in (shared / 'golden').glob(f'{name}.*'):
            shutil.copy(path, tmp_path)
    return tmp_path


def test_all_sets_of_a_folder(run, folder):
    result = run(folder)
    assert result.returncode == 0, result.stdout + result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == 'eval_edge_qvhighlights: 4 compared, 0 skipped, 0 failed'
    assert re.fullmatch(r'3 sets: \d+ compared, \d+ skipped, 0 failed', lines[-1])
    (row,) = [line.split() for line in lines if ' result_unrounded ' in line]
    assert float(row[1]) <= float(row[2]) == 1e-9 and row[3] == 'ok'
    skipped = [line for line in lines if 'skipped  ' in line]
    assert skipped and all(line.split('skipped  ')[1] for line in skipped)


def test_quiet_shows_what_is_wrong_or_missing_only(run, folder):
    result = run(folder, '--quiet')
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert sum(not line.startswith(' ') for line in lines) == 3 + 1
    assert all('skipped' in line for line in lines)


def test_a_changed_value_fails(run, folder):
    path = folder / 'nms_postprocess.json'
    content = json.loads(path.read_text())
    content['cases'][5]['bam_soft'][0][1] += 0.01
    path.write_text(json.dumps(content))
    result = run(folder, 'nms_postprocess', '--quiet')
    assert result.returncode == 1
    assert 'nms_postprocess: 20 compared, 0 skipped, 1 failed' in result.stdout
    (row,) = [line.split() for line in result.stdout.splitlines() if 'FAILED' in line]
    assert row[:2] == ['bam_soft', 'seconds'] and float(row[2]) == pytest.approx(0.01, rel=0.1)


def test_names_pick_sets(run, folder):
    (folder / 'new_system.json').write_text('{}')
    result = run(folder, 'eval_edge_qvhighlights')
    assert result.returncode == 0 and 'nms' not in result.stdout
    result = run(folder, 'eval_edge_qvhighlights', 'new_system')
    assert result.returncode == 1
    assert 'there is no check for this set' in result.stdout


@pytest.mark.parametrize(
    ('names', 'message'),
    [
        (['nms_postproces'], 'did you mean nms_postprocess'),
        (['sgdetr'], 'expected sgdetr.json'),
    ],
)
def test_wrong_names_are_one_sentence(run, folder, names, message):
    result = run(folder, *names)
    assert result.returncode == 1
    assert result.stderr.startswith('error: ') and message in result.stderr
    assert len(result.stderr.splitlines()) == 1 and result.stdout == ''


def test_folder_without_sets(run, tmp_path):
    result = run(tmp_path)
    assert result.returncode == 1 and 'no reference set' in result.stderr
