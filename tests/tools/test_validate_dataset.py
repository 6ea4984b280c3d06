# SPDX-License-Identifier: Apache-2.0
"""The command lines for own data: what they print and how they end."""

from pathlib import Path

import pytest

from vtg.datasets.simulated import export_simulated

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('own')
    export_simulated(folder, 5)
    return folder


def test_a_broken_file_ends_with_status_1(run_tool, folder):
    lines = (folder / 'train.jsonl').read_text().splitlines()
    (folder / 'broken.jsonl').write_text('\n'.join([*lines, '{"video": "x"']))
    files = (
        '--video-features', folder / 'video_features',
        '--text-features', folder / 'text_features',
    )  # fmt: skip
    status, output, errors = run_tool(
        'validate_dataset.py', '--annotations', folder / 'broken.jsonl', *files
    )
    assert status == 1 and errors == ''
    assert f'broken.jsonl:{len(lines) + 1}: not valid JSON' in output
    assert output.rstrip().endswith('1 problem')


def test_mistakes_are_one_sentence(run_tool, folder, tmp_path):
    status, _, errors = run_tool('make_simulated.py', tmp_path, '--videos', 3)
    assert status == 1
    assert errors == 'error: 3 videos cannot be split into three; make at least 5.\n'
    status, _, errors = run_tool('validate_dataset.py', 'configs/qd_detr/custm.py')
    assert status == 1 and errors.startswith('error: configs/qd_detr/custm.py does not exist; did')
    status, _, errors = run_tool('validate_dataset.py')
    assert status == 2 and 'give a config or --annotations' in errors
