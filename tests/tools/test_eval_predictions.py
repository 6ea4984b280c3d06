# SPDX-License-Identifier: Apache-2.0
"""The evaluation scripts as a user runs them."""

import json
from pathlib import Path

import pytest

from vtg.utils import read_json, read_jsonl, write_jsonl

NAME = 'cg_detr_best_val_preds'


@pytest.fixture
def files(shared) -> tuple[Path, Path]:
    data = shared / 'data'
    return (
        data / 'predictions' / f'{NAME}.jsonl.gz',
        data / 'qvhighlights' / 'highlight_val_release.jsonl.gz',
    )


def test_gzip_files_give_the_official_metrics(run_tool, files, shared, tmp_path):
    result = run_tool('eval_predictions.py', *files, '--extended', '--out', tmp_path / 'm.json')
    assert result.status == 0, result.errors
    official = read_json(shared / 'data' / 'predictions' / f'{NAME}_metrics.json')
    assert read_json(tmp_path / 'm.json') == official
    cells = [line.strip('|').split('|') for line in result.output.splitlines() if '|' in line]
    shown = {row[0].strip(): row[1].strip() for row in cells[1:]}
    expected = {key: f'{value:.2f}' for key, value in official['brief'].items()}
    assert expected.items() <= shown.items()


def test_plain_subset(run_tool, files, tmp_path):
    few = tmp_path / 'few.jsonl'
    write_jsonl(few, read_jsonl(files[0])[:7])
    refused = run_tool('eval_predictions.py', few, files[1], '--out', tmp_path / 'm.json')
    assert refused.status == 1
    assert '1543 annotated queries have no prediction' in refused.errors
    assert not (tmp_path / 'm.json').exists()
    assert run_tool('eval_predictions.py', few, files[1], '--missing', 'drop').status == 0


def test_neither_input_is_overwritten(run_tool, tmp_path):
    paths = [tmp_path / 'p.jsonl', tmp_path / 'a.jsonl']
    write_jsonl(paths[0], [{'qid': 1, 'pred_relevant_windows': [[0, 2, 1]]}])
    write_jsonl(paths[1], [{'qid': 1, 'duration': 10, 'relevant_windows': [[0, 2]]}])
    before = [path.read_bytes() for path in paths]
    for path in paths:
        result = run_tool('eval_predictions.py', *paths, '--out', path)
        assert result.status == 1 and 'is also the input' in result.errors
    assert [path.read_bytes() for path in paths] == before
    assert run_tool('eval_predictions.py', *paths, '--clip-length', 0).status == 2


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
        ('empty', 'predictions.jsonl holds no record'),
        ('twice', 'qid 1 occurs twice'),
        ('windows', 'qid 1'),
        ('fields', 'nothing can be evaluated'),
        ('binary', 'predictions.jsonl'),
    ],
)
def test_bad_input_is_one_sentence(run_tool, tmp_path, name, message):
    result = run_tool('eval_predictions.py', *broken(tmp_path, name))
    assert result.status == 1
    assert result.errors.startswith('error: ')
    assert message in result.errors
    assert len(result.errors.splitlines()) == 1
    assert result.output == ''


def test_benchmark(run_tool, files):
    result = run_tool('benchmark/evaluation.py', *files, '--repeat', 1)
    assert result.status == 0, result.errors
    assert 'queries/s' in result.output
    assert '1550 queries' in result.output


def test_benchmark_of_generated_files(run_tool, tmp_path):
    out = tmp_path / 'figures.json'
    arguments = ['--queries', 20, 60, '--repeat', 1, '--json', out]
    result = run_tool('benchmark/evaluation.py', *arguments)
    assert result.status == 0, result.errors
    assert set(json.loads(out.read_text())) == {'20', '60'}
