# SPDX-License-Identifier: Apache-2.0
"""The evaluation scripts as a user runs them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vtg.utils import read_json, read_jsonl, write_jsonl

ROOT = Path(__file__).resolve().parents[2]
NAME = 'cg_detr_best_val_preds'


def run(script: str, *args: object) -> subprocess.CompletedProcess:
    environment = os.environ | {'PYTHONPATH': str(ROOT)}
    command = [sys.executable, str(ROOT / 'tools' / script), *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.fixture
def files(shared) -> tuple[Path, Path]:
    data = shared / 'data'
    return (
        data / 'predictions' / f'{NAME}.jsonl.gz',
        data / 'qvhighlights' / 'highlight_val_release.jsonl.gz',
    )


def test_gzip_files_give_the_official_metrics(files, shared, tmp_path):
    result = run('eval_predictions.py', *files, '--extended', '--out', tmp_path / 'm.json')
    assert result.returncode == 0, result.stderr
    official = read_json(shared / 'data' / 'predictions' / f'{NAME}_metrics.json')
    assert read_json(tmp_path / 'm.json') == official
    cells = [line.strip('|').split('|') for line in result.stdout.splitlines() if '|' in line]
    shown = {row[0].strip(): row[1].strip() for row in cells[1:]}
    expected = {key: f'{value:.2f}' for key, value in official['brief'].items()}
    assert expected.items() <= shown.items()


def test_plain_subset(files, tmp_path):
    few = tmp_path / 'few.jsonl'
    write_jsonl(few, read_jsonl(files[0])[:7])
    refused = run('eval_predictions.py', few, files[1], '--out', tmp_path / 'm.json')
    assert refused.returncode == 1
    assert '1543 annotated queries have no prediction' in refused.stderr
    assert not (tmp_path / 'm.json').exists()
    assert run('eval_predictions.py', few, files[1], '--subset-ok').returncode == 0


def test_neither_input_is_overwritten(tmp_path):
    paths = [tmp_path / 'p.jsonl', tmp_path / 'a.jsonl']
    write_jsonl(paths[0], [{'qid': 1, 'pred_relevant_windows': [[0, 2, 1]]}])
    write_jsonl(paths[1], [{'qid': 1, 'duration': 10, 'relevant_windows': [[0, 2]]}])
    before = [path.read_bytes() for path in paths]
    for path in paths:
        result = run('eval_predictions.py', *paths, '--out', path)
        assert result.returncode == 1 and 'is also the input' in result.stderr
    assert [path.read_bytes() for path in paths] == before
    assert run('eval_predictions.py', *paths, '--clip-length', 0).returncode == 1


def broken(folder: Path, name: str) -> tuple[Path, Path]:
    truth = folder / 'truth.jsonl'
    write_jsonl(truth, [{'qid': 1, 'duration': 10, 'relevant_windows': [[0, 2]]}])
    path = folder / 'predictions.jsonl'
    good = '{"qid": 1, "pred_relevant_windows": [[0, 2, 1]]}\n'
    texts = {
        'json': good + '{"qid": 2,\n',
        'empty': '',
        'twice': good + good,
        'windows': '{"qid": 1, "pred_relevant_windows": []}\n',
        'fields': '{"qid": 1}\n',
        'binary': '\xff\xfe',
    }
    if name in texts:
        path.write_bytes(texts[name].encode('latin-1'))
    return path, truth


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        ('missing', 'does not exist'),
        ('json', 'predictions.jsonl'),
        ('empty', 'no prediction'),
        ('twice', 'qid 1 occurs twice'),
        ('windows', 'qid 1'),
        ('fields', 'nothing can be evaluated'),
        ('binary', 'predictions.jsonl'),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, name, message):
    result = run('eval_predictions.py', *broken(tmp_path, name))
    assert result.returncode == 1
    assert result.stderr.startswith('error: ')
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ''


def test_benchmark(files):
    result = run('benchmark/evaluation.py', *files, '--repeat', 1)
    assert result.returncode == 0, result.stderr
    assert 'queries/s' in result.stdout
    assert '1550 queries' in result.stdout
