# SPDX-License-Identifier: Apache-2.0
"""tools/convert_checkpoint.py as a user runs it."""

import runpy
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from reference_values.core import ReferenceSet

from vtg.engine import read_checkpoint

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Result:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(monkeypatch, capsys) -> Callable[..., Result]:
    """Run the script in this process: starting another one takes longer than what is tested."""

    def call(*args: object) -> Result:
        monkeypatch.setattr(sys, 'argv', ['convert_checkpoint.py', *map(str, args)])
        with pytest.raises(SystemExit) as exit_of:
            runpy.run_path(str(ROOT / 'tools' / 'convert_checkpoint.py'), run_name='__main__')
        return Result(exit_of.value.code, *capsys.readouterr())

    return call


@pytest.fixture
def published(shared, tmp_path) -> Path:
    weights = ReferenceSet(shared / 'golden', 'sgdetr').below('sd/')
    path = tmp_path / 'published.ckpt'
    torch.save({'state_dict': {f'model.{key}': value for key, value in weights.items()}}, path)
    return path


def test_writes_a_checkpoint_and_says_so(run, published, tmp_path):
    target = tmp_path / 'ours.pth'
    result = run('sgdetr', published, target)
    assert result.returncode == 0, result.stderr
    count = len(read_checkpoint(target)['state_dict'])
    assert result.stdout.splitlines() == [f'wrote {count} tensors to {target}']


def test_a_config_that_does_not_fit_is_one_sentence(run, published, tmp_path):
    config = ROOT / 'configs' / 'sgdetr' / 'qvhl_official.py'
    result = run('sgdetr', published, tmp_path / 'ours.pth', '--config', config)
    assert result.returncode == 1
    assert result.stderr.startswith('error: ') and 'ours.pth' in result.stderr
    assert 'Traceback' not in result.stderr and 'loads it' not in result.stdout


@pytest.mark.parametrize(
    ('system', 'message'), [('sgdet', 'sgdetr'), ('moment_detr', 'have no place')]
)
def test_the_wrong_system_is_one_sentence(run, published, tmp_path, system, message):
    result = run(system, published, tmp_path / 'ours.pth')
    assert result.returncode == 1
    assert result.stderr.startswith('error: ') and message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / 'ours.pth').exists()
