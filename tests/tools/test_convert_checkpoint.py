# SPDX-License-Identifier: Apache-2.0
"""tools/convert_checkpoint.py as a user runs it."""

from pathlib import Path

import pytest
import torch
from reference_values.core import ReferenceSet

from vtg.engine import read_checkpoint

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def published(shared, tmp_path) -> Path:
    weights = ReferenceSet(shared / 'golden', 'sgdetr').below('sd/')
    path = tmp_path / 'published.ckpt'
    torch.save({'state_dict': {f'model.{key}': value for key, value in weights.items()}}, path)
    return path


def test_writes_a_checkpoint_and_says_so(run_tool, published, tmp_path):
    target = tmp_path / 'ours.pth'
    result = run_tool('convert_checkpoint.py', 'sgdetr', published, target)
    assert result.status == 0, result.errors
    count = len(read_checkpoint(target)['state_dict'])
    assert result.output.splitlines() == [f'wrote {count} tensors to {target}']


def test_a_config_that_does_not_fit_is_one_sentence(run_tool, published, tmp_path):
    config = ROOT / 'configs' / 'sgdetr' / 'qvhl_official.py'
    result = run_tool(
        'convert_checkpoint.py', 'sgdetr', published, tmp_path / 'ours.pth', '--config', config
    )
    assert result.status == 1
    assert result.errors.startswith('error: ') and 'ours.pth' in result.errors
    assert 'Traceback' not in result.errors and 'loads it' not in result.output


@pytest.mark.parametrize(
    ('system', 'message'), [('sgdet', 'sgdetr'), ('moment_detr', 'have no place')]
)
def test_the_wrong_system_is_one_sentence(run_tool, published, tmp_path, system, message):
    result = run_tool('convert_checkpoint.py', system, published, tmp_path / 'ours.pth')
    assert result.status == 1
    assert result.errors.startswith('error: ') and message in result.errors
    assert len(result.errors.splitlines()) == 1
    assert not (tmp_path / 'ours.pth').exists()
