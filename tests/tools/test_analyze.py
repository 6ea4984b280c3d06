# SPDX-License-Identifier: Apache-2.0
"""The analysis as its user runs it: files, folders of seeds, and mistakes."""

import pytest
from predictions import random_records

from vtg.apis.analysis import check_report_folder
from vtg.apis.prediction_files import sources_of
from vtg.utils import ConfigError, read_json, read_jsonl, write_json, write_jsonl

FILES = ('index.html', 'analysis.md', 'tables.tex', 'queries.csv', 'analysis.json')


@pytest.fixture
def data(tmp_path):
    """Annotations, predictions, and a folder of two seeds of one config."""
    annotations, predictions = random_records(0, queries=12)
    write_jsonl(tmp_path / 'truth.jsonl', annotations)
    write_jsonl(tmp_path / 'a_val_preds.jsonl', predictions)
    for seed in (0, 1):
        folder = tmp_path / 'runs' / f'seed_{seed}'
        write_jsonl(folder / 'predictions_val.jsonl.gz', predictions[seed:])
        write_jsonl(folder / 'predictions_test.jsonl.gz', [])
        facts = {'config': '/x/configs/qd_detr/demo.py', 'seed': seed}
        write_json(folder / 'report_val.json', {'facts': facts})
    return tmp_path


def test_a_report_of_a_file_against_a_folder(run_tool, data):
    ended = run_tool(
        'analyze.py', data / 'a_val_preds.jsonl', data / 'truth.jsonl', '--against',
        data / 'runs', '--out', data / 'out', '--resamples', 100, '--ensemble', 1, 2,
        '--published', 'qd_detr', '--train', data / 'truth.jsonl',
    )  # fmt: skip
    assert ended.status == 0, ended.errors
    assert all((data / 'out' / name).stat().st_size > 300 for name in FILES)
    found = read_json(data / 'out' / 'analysis.json')
    assert [(s['name'], len(s['runs'])) for s in found['systems']] == [
        ('a', 1),
        ('qd_detr/demo', 2),
    ]
    assert 'seed_1/predictions_val.jsonl.gz: answered 11 of 12 queries' in ended.output
    assert 'paper, mean of five seeds' in ended.output
    # The ensemble is a prediction file like any other.
    fused = data / 'out' / 'ensemble_predictions.jsonl.gz'
    check_report_folder(data / 'out')  # an earlier report makes way for the next
    assert len(read_jsonl(fused)) == 12
    again = run_tool('analyze.py', f'E={fused}', data / 'truth.jsonl', '--out', data / 'more')
    assert again.status == 0, again.errors


def test_a_search_looks_at_all_windows_of_the_file(run_tool, data):
    # Twelve equal windows hide the right one, which suppression brings back.
    records = [{'qid': n, 'pred_relevant_windows': [*[[0, 3, 0.9]] * 12, [10, 20, 0.8]]}
               for n in range(4)]  # fmt: skip
    truth = [{'qid': n, 'query': 'q', 'vid': f'v{n}', 'duration': 30,
              'relevant_windows': [[10, 20]]} for n in range(4)]  # fmt: skip
    write_jsonl(data / 'raw.jsonl', records)
    write_jsonl(data / 'few.jsonl', truth)
    out = data / 'out'
    ended = run_tool('analyze.py', data / 'raw.jsonl', data / 'few.jsonl', '--search', 'mAP',
                     '--out', out, '--resamples', 100)  # fmt: skip
    assert ended.status == 0, ended.errors
    found = read_json(out / 'analysis.json')['search']
    assert (found['before'], found['after'], found['on_other_half']) == (0, 50, 50)
    assert found['step']['suppress'] < 1


def test_what_stands_for_a_system(data):
    a, runs = data / 'a_val_preds.jsonl', data / 'runs'
    files = [source.files for source in sources_of([f'x={a},{a}', str(runs)])]
    assert [len(found) for found in files] == [2, 2]
    names = [source.name for source in sources_of([str(a), str(a), f'mine={runs}'])]
    assert names == ['a', 'a (2)', 'mine']
    write_json(runs / 'seed_1' / 'report_val.json', {'facts': {'config': 'configs/umt/demo.py'}})
    assert [s.name for s in sources_of([str(runs)])] == ['qd_detr/demo', 'umt/demo']
    (data / 'empty').mkdir()
    with pytest.raises(ConfigError, match='no prediction file of val'):
        sources_of([str(data / 'empty')])


def test_files_of_others_are_not_replaced(tmp_path):
    (tmp_path / 'notes.txt').touch()
    check_report_folder(tmp_path)
    (tmp_path / 'index.html').touch()
    with pytest.raises(ConfigError, match=r'holds index\.html, but no earlier analysis'):
        check_report_folder(tmp_path)
    (tmp_path / 'analysis.json').write_text('{"title": 1}')
    with pytest.raises(ConfigError, match='not overwritten'):
        check_report_folder(tmp_path)


@pytest.mark.parametrize(('arguments', 'status', 'sentence'), [
    (['none.jsonl', 'truth.jsonl'], 1, 'none.jsonl does not exist'),
    (['a_val_preds.jsonl', 'a_val_preds.jsonl', '--ensemble', '1', '2'], 1, '2 weights for 1 sys'),
    (['a_val_preds.jsonl', 'other.jsonl'], 1, 'no answer to a query of the annotations'),
    (['bad.jsonl', 'truth.jsonl'], 1, "bad.jsonl, line 1 (qid 0): `pred_relevant_windows` must"),
    (['bad.jsonl', 'truth.jsonl'], 1, '--windows repair leaves out'),
    (['a_val_preds.jsonl', 'unlabelled.jsonl'], 1, 'nothing can be analysed'),
    (['a_val_preds.jsonl', 'truth.jsonl', '--published', 'qd_der'], 1, 'choose qd_detr'),
    (['a_val_preds.jsonl', 'truth.jsonl', '--iou', '2'], 2, 'at most 1'),
    (['a_val_preds.jsonl', 'truth.jsonl', '--background', '0.6'], 1, '--background exceeds --iou'),
])  # fmt: skip
def test_mistakes_are_one_sentence(run_tool, data, monkeypatch, arguments, status, sentence):
    write_jsonl(data / 'other.jsonl', [{'qid': 'x', 'query': 'q', 'vid': 'v', 'duration': 9,
                                        'relevant_windows': [[0, 2]]}])  # fmt: skip
    write_jsonl(data / 'bad.jsonl', [{'qid': 0, 'pred_relevant_windows': [[0, 1]]}])
    write_jsonl(data / 'unlabelled.jsonl', [{'qid': 0, 'query': 'q', 'vid': 'v', 'duration': 9}])
    monkeypatch.chdir(data)
    ended = run_tool('analyze.py', *arguments, '--out', data / 'out')
    assert ended.status == status and sentence in ended.errors
    assert len(ended.errors.strip().splitlines()) == 1 and not (data / 'out').exists()


def test_inputs_are_not_overwritten(run_tool, data):
    ended = run_tool('analyze.py', data / 'a_val_preds.jsonl', data / 'truth.jsonl', '--out', data)
    assert ended.status == 1 and 'contains the input' in ended.errors


def test_results_are_collected(run_tool, data):
    facts = {'config': 'configs/umt/demo.py', 'dataset': 'd', 'split': 'val', 'seed': 1}
    report = {'facts': facts, 'columns': ['m'], 'metrics': {'MR-full-mAP': {'m': 12.5}}}
    write_json(data / 'runs' / 'x' / 'report_val.json', report)
    page = data / 'results.md'
    ended = run_tool('collect_results.py', data / 'runs', '--page', page)
    assert ended.status == 0, ended.errors
    assert '| umt/demo |  | 1 | 12.50 |' in page.read_text()
    assert 'left out' in ended.output  # the reports of the other runs have no metrics
    assert run_tool('collect_results.py', page.with_suffix('.csv'), '--page', page).status == 0
    (data / 'own.md').write_text('# Mine')
    ended = run_tool('collect_results.py', data / 'runs', '--page', data / 'own.md')
    assert ended.status == 1 and 'is not overwritten' in ended.errors
