# SPDX-License-Identifier: Apache-2.0
"""Training by command line, then a report of the checkpoint."""

import json
import os
import re
import runpy
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from programs import run_program

from vtg.engine import load_config
from vtg.evaluation.functional import evaluate_qvhighlights
from vtg.registry import DATASETS
from vtg.utils import read_json, read_jsonl

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / 'configs/sgdetr/demo.py'
SAMPLES = 12
TINY = [
    'model.defaults.dim=16',
    'model.defaults.hidden_dim=32',
    f'train_dataloader.dataset.num_samples={2 * SAMPLES}',
    f'val_dataloader.dataset.num_samples={SAMPLES}',
    f'test_dataloader.dataset.num_samples={SAMPLES + 1}',
    'train_cfg.max_epochs=1',
    'train_cfg.val_interval=1',
]


def call(script, *arguments, cwd):
    """Run a script of tools/ and return status, output and errors."""
    done = run_program(
        [sys.executable, ROOT / 'tools' / script, *arguments],
        cwd=cwd,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A folder with one epoch of a tiny demo, and what the command printed."""
    folder = tmp_path_factory.mktemp('demo')
    status, output, errors = call(
        'train.py', CONFIG, '--work-dir', folder / 'run', '--seed', 5, '--cfg-options', *TINY,
        cwd=folder,
    )  # fmt: skip
    assert status == 0, errors
    return folder / 'run', output


@pytest.fixture
def evaluate(trained, monkeypatch, capsys, tmp_path):
    """``evaluate(*arguments)``: run tools/test.py in this process on the trained checkpoint."""

    def run(*arguments, checkpoint=trained[0] / 'epoch_1.pth', config=CONFIG):
        command = ['test.py', config, checkpoint, '--out', tmp_path / 'out', *arguments]
        monkeypatch.setattr(sys, 'argv', [*map(str, command), '--cfg-options', *TINY])
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(ROOT / 'tools/test.py'), run_name='__main__')
        return end.value.code, capsys.readouterr()

    return run


def test_training_ends_with_a_report_of_the_best_checkpoint(trained):
    folder, output = trained
    assert 'Benchmark val' in output and '| MR-full-mAP ' in output and 'written: ' in output
    report = read_json(folder / 'report_val.json')
    assert report['columns'] == ['comb', 'detr', 'atss']
    facts = report['facts']
    assert facts['checkpoint'].endswith(('best_qvhighlights_MR-full-mAP_epoch_1.pth', '_1.pth'))
    assert facts['seed'] == 5 and facts['queries'] == SAMPLES and facts['split'] == 'val'
    assert (folder / 'epoch_1.pth').is_file() and (folder / 'report_val.md').is_file()


def test_the_config_beside_the_checkpoints_trains_and_tests(trained, evaluate, tmp_path):
    kept, made = load_config(trained[0] / 'demo.py'), load_config(CONFIG, TINY)
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader', 'model', 'train_cfg'):
        assert kept[name] == made[name]
    assert kept.randomness.seed == 5 and kept.launcher == 'none'
    evaluate('--split', 'val', config=trained[0] / 'demo.py')
    again = read_json(tmp_path / 'out/report_val.json')
    assert again['metrics'] == read_json(trained[0] / 'report_val.json')['metrics']
    assert not list((tmp_path / 'out').glob('*.py'))
    status, _, errors = call(
        'train.py', trained[0] / 'demo.py', '--work-dir', tmp_path / 'again', cwd=tmp_path
    )
    assert status == 0, errors
    weights = [
        torch.load(folder / 'epoch_1.pth', weights_only=True)['state_dict']
        for folder in (trained[0], tmp_path / 'again')
    ]
    assert all(torch.equal(weights[0][name], value) for name, value in weights[1].items())


def test_report_files(trained, evaluate, tmp_path):
    status, printed = evaluate()
    assert status == 0, printed.err
    assert sorted(p.name for p in (tmp_path / 'out').glob('report*')) == [
        'report_test.json', 'report_test.md'
    ]  # fmt: skip
    report = read_json(tmp_path / 'out/report_test.json')
    facts = report['facts']
    assert facts['dataset'] == 'simulated data' and facts['split'] == 'test'
    assert facts['queries'] == SAMPLES + 1 and facts['result_list'] == 'comb'
    assert facts['config'].endswith('configs/sgdetr/demo.py')
    assert re.fullmatch('[0-9a-f]{64}', facts['config_hash'])
    assert re.fullmatch('[0-9a-f]{8}', facts['checkpoint_sha8'])
    assert facts['seconds_per_query'] > 0 and facts['parameters'] > 10_000
    assert set(facts['versions']) >= {'vtg', 'python', 'torch', 'mmengine', 'numpy'}
    metrics = report['metrics']
    for name in ('MR-full-mAP', 'MR-full-R1@0.5', 'MR-short-mAP', 'MR-full-mIoU'):
        assert set(metrics[name]) == {'comb', 'detr', 'atss'}
        assert all(0 <= value <= 100 for value in metrics[name].values())
    for name in ('HL-min-VeryGood-mAP', 'HL-min-VeryGood-Hit1', 'HL-min-Fair-mAP'):
        assert 0 <= metrics[name]['comb'] <= 100 and metrics[name]['detr'] is None
    assert set(report['details']) >= {'main'}

    lines = (tmp_path / 'out/report_test.md').read_text().splitlines()
    assert lines[0] == '# Benchmark simulated data test'
    assert '| metric | comb | detr | atss |' in lines and '- queries: 13' in lines
    (row,) = [line for line in lines if line.startswith('| MR-full-mAP |')]
    value = f'{metrics["MR-full-mAP"]["comb"]:.2f}'
    assert row.split('|')[2].strip() == value and f'{facts["parameters"]:,}' in '\n'.join(lines)
    assert '| MR-full-mAP ' in printed.out and value in printed.out


def test_one_checkpoint_gives_the_same_numbers_again(trained, evaluate, tmp_path):
    evaluate('--split', 'val')
    again = read_json(tmp_path / 'out/report_val.json')
    first = read_json(trained[0] / 'report_val.json')
    assert again['metrics'] == first['metrics']
    assert again['facts']['queries'] == SAMPLES and again['facts']['split'] == 'val'


def test_submission(evaluate, tmp_path):
    status, printed = evaluate('--submission')
    assert status == 0, printed.err
    path = tmp_path / 'out/hl_test_submission.jsonl'
    records = read_jsonl(path)
    assert len(records) == SAMPLES + 1
    for record in records:
        assert set(record) == {
            'qid', 'query', 'vid', 'pred_relevant_windows', 'pred_saliency_scores'
        }  # fmt: skip
        assert all(start < end and 0 <= score <= 1
                   for start, end, score in record['pred_relevant_windows'])  # fmt: skip
    with zipfile.ZipFile(tmp_path / 'out/submission.zip') as archive:
        assert archive.namelist() == ['hl_val_submission.jsonl', 'hl_test_submission.jsonl']
        assert archive.read('hl_test_submission.jsonl') == path.read_bytes()
    assert 'submission.zip' in printed.out
    # The official evaluation of the file gives the report's numbers, rounded.
    dataset = DATASETS.build(load_config(CONFIG, TINY).test_dataloader.dataset)
    annotations = [dataset[index]['meta']['annotation'] for index in range(len(dataset))]
    official = evaluate_qvhighlights(records, annotations)['brief']
    report = read_json(tmp_path / 'out/report_test.json')['metrics']
    for name in ('MR-full-mAP', 'MR-full-R1@0.5', 'HL-min-VeryGood-mAP'):
        assert round(report[name]['comb'], 2) == official[name]


def test_a_page_to_browse_the_queries(evaluate, tmp_path):
    status, printed = evaluate('--html', '--split', 'val')
    assert status == 0, printed.err
    records = read_jsonl(tmp_path / 'out/predictions_val.jsonl.gz')
    page = (tmp_path / 'out/page_val.html').read_text()
    data = json.loads(re.search(r'id="vtg-data">(.*?)</script>', page).group(1))
    assert [entry['qid'] for entry in data['entries']] == [str(r['qid']) for r in records]
    assert data['order'] == 'IoU' and {'IoU', 'error', 'HL-AP'} <= set(data['columns'])
    assert all(entry['tracks'][0]['curve'] and entry['truth'] for entry in data['entries'])
    # The mean of the queries is that of the report.
    column = data['columns'].index('IoU')
    mean = 100 * sum(entry['values'][column] for entry in data['entries']) / len(records)
    report = read_json(tmp_path / 'out/report_val.json')['metrics']
    hits = sum(entry['values'][column] >= 0.5 for entry in data['entries'])
    assert 100 * hits / len(records) == pytest.approx(report['MR-full-R1@0.5']['comb'])
    assert 0 < mean < 100
    videos = tmp_path / 'videos'
    videos.mkdir()
    status, printed = evaluate('--html', '--videos', videos)
    assert status == 1 and 'has no video of these queries' in printed.err
    (videos / f'{records[0]["vid"]}.mp4').touch()
    assert evaluate('--html', '--split', 'val', '--videos', videos)[0] == 0
    assert f'../videos/{records[0]["vid"]}.mp4' in (tmp_path / 'out/page_val.html').read_text()


def test_a_checkpoint_of_another_model(trained, evaluate, tmp_path):
    state = torch.load(trained[0] / 'epoch_1.pth', weights_only=True)['state_dict']
    state['fusion.extra.weight'] = state.pop('fusion.norm.weight')
    torch.save({'state_dict': state}, tmp_path / 'other.pth')
    status, printed = evaluate(checkpoint=tmp_path / 'other.pth')
    assert status == 1
    (line,) = [text for text in printed.err.splitlines() if text.startswith('error:')]
    assert 'other.pth does not fit the model' in line
    assert '1 missing in the file: fusion.norm.weight' in line
    assert '1 unknown to the model: fusion.extra.weight' in line and 'use the config that' in line
    assert not list(tmp_path.glob('out/report*')) and 'Traceback' not in printed.err


def test_no_such_checkpoint_and_no_such_split(evaluate, monkeypatch, tmp_path):
    status, printed = evaluate(checkpoint=tmp_path / 'none.pth')
    assert status == 1 and 'none.pth does not exist; give the path of a checkpoint' in printed.err
    status, printed = evaluate('--split', 'train')
    assert status == 2 and 'invalid choice' in printed.err


def test_plain_json(trained):
    """The report holds nothing that other programs could not read, such as NaN."""
    text = (trained[0] / 'report_val.json').read_text()
    report = json.loads(text, parse_constant=lambda name: pytest.fail(f'{name} in the report'))
    assert report['metrics'] and report['columns']
