# SPDX-License-Identifier: Apache-2.0
"""The command lines for own data: what they print and how they end."""

from pathlib import Path

import pytest

from vtg.datasets.simulated import export_simulated
from vtg.utils import read_jsonl, write_jsonl

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


def test_a_mended_copy_is_read_strictly(run_tool, tmp_path):
    base = {'query': 'a dog', 'vid': 'v', 'duration': 10}
    windows = ([[2, 10.5]], [[5, 5]], [[11, 12]], [])
    source, fixed = tmp_path / 'a.jsonl', tmp_path / 'fixed.jsonl'
    write_jsonl(source, [{'qid': 1, **base, 'relevant_windows': w} for w in windows])
    status, output, _ = run_tool('validate_dataset.py', '--annotations', source)
    assert status == 1 and 'found: over_end           1' in output and '--windows repair' in output
    for qid in ('unique', 'renumber'):
        arguments = ('--annotations', source, '--write', fixed, '--qid', qid)
        status, output, errors = run_tool('validate_dataset.py', *arguments)
        if qid == 'unique':
            assert status == 1 and 'line 2: the qid 1 is already used in line 1' in errors
            assert not fixed.exists()
    assert status == 0 and output.endswith('fixed.jsonl: 4 records\n')
    assert [r['relevant_windows'] for r in read_jsonl(fixed)] == [
        [[2, 10]],
        [[5, 5]],
        [[10, 10]],
        [],
    ]
    status, output, _ = run_tool('validate_dataset.py', '--annotations', fixed)
    assert status == 0 and 'no problems' in output
    status, _, errors = run_tool('validate_dataset.py', '--annotations', source, '--write', source)
    assert status == 1 and str(source) in errors and len(read_jsonl(source)) == 4
    status, _, errors = run_tool(
        'validate_dataset.py', 'configs/qd_detr/custom.py', '--write', fixed
    )
    assert status == 2 and 'go with --annotations' in errors
