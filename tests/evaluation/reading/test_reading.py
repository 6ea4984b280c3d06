# SPDX-License-Identifier: Apache-2.0
"""Predictions of other code bases: formats, how answers find their query, what is mended."""

import gzip
import json

import pytest

from vtg.apis.evaluation import evaluate_files, find_metric
from vtg.evaluation.functional import evaluate_qvhighlights
from vtg.evaluation.reading import complete, read_answers
from vtg.utils import ConfigError, DataError, read_json, read_jsonl, write_jsonl

TEXTS = [('a', 'A dog  runs.'), ('a', 'a cat sits'), ('b', 'A dog runs.')]
QUERIES = [
    {'qid': 10 + i, 'vid': f'v_{name}', 'query': query, 'duration': 40.0,
     'relevant_windows': [[10, 20]]}
    for i, (name, query) in enumerate(TEXTS)
]  # fmt: skip
TEXT = 'It happens from 10 to 20 seconds.'


def answers_of(span):
    return {
        'timechat': {
            '0': {'timestamp': [span], 'query': 'a dog runs.', 'vid': 'a.mp4'},
            '1': {'timestamp': [], 'query': 'a cat sits', 'vid': 'a.mp4'},
        },
        'timechat_raw': [
            {'vname': 'a.mp4', 'query': 'A dog runs', 'id': 0,
             'generated_cap': f'happens in {span[0]} - {span[1]} seconds.'},
            {'vname': 'a.mp4', 'query': 'a cat sits', 'id': 1, 'generated_cap': 'Sorry.'},
        ],
        'timelens': {
            f'videos/a.mp4>>>A dog runs>>>{span}': {'timestamps': [span], 'answers': TEXT},
            'a>>>a cat sits>>>[1, 2]': {'answers': 'It never happens.'},
        },
        'videomind': [
            {'vid': 'a', 'query': 'A dog runs.', 'pred': [span, [0, 5]], 'conf': [0.9, 0.2]},
            {'vid': 'a', 'query': 'a cat sits', 'pred': [], 'conf': []},
        ],
        'text': [
            {'qid': '10', 'response': f'From {span[0]} s to {span[1]} s.'},
            {'qid': '11', 'response': 'No.'},
        ],
        'windows': {'10': [span], '11': []},
        'vtg': [
            {'qid': 10, 'vid': 'v_a', 'pred_relevant_windows': [[*span, 0.9]]},
            {'qid': 11, 'vid': 'v_a', 'pred_relevant_windows': []},
        ],
    }  # fmt: skip


@pytest.fixture
def truth(tmp_path):
    path = tmp_path / 'truth.jsonl'
    write_jsonl(path, QUERIES)
    return path


@pytest.mark.parametrize('name', answers_of([10, 20]))
def test_every_format_is_recognised_and_scored(tmp_path, truth, name):
    path = tmp_path / 'answers.json'
    path.write_text('\ufeff' + json.dumps(answers_of([10, 20])[name], indent=2), encoding='utf-8')
    answers = read_answers(path)
    assert answers.format == name and not answers.own
    found = evaluate_files(path, truth, extended=True)
    # One right, one that is empty or could not be read, one that is not there.
    assert (found.answered, found.total) == (1, 3)
    assert found.result['brief']['MR-full-R1@0.7'] == pytest.approx(100 / 3)
    assert found.result['brief']['MR-full-mIoU'] == pytest.approx(100 / 3)
    dropped = evaluate_files(path, truth, missing='drop')
    assert dropped.result['brief']['answered-only/MR-full-R1@0.7'] == 100
    with pytest.raises(DataError):
        evaluate_files(path, truth, missing='refuse')


def test_the_share_that_could_not_be_read_is_counted(tmp_path, truth):
    path = tmp_path / 'answers.jsonl'
    write_jsonl(path, answers_of([10, 20])['text'])
    notes = evaluate_files(path, truth).notes
    assert notes['answers whose times could not be read'] == 1


def test_what_stands_for_no_answer_is_none(tmp_path, truth):
    records = [
        {
            'vid': 'a',
            'query': 'A dog runs',
            'duration': 40.0,
            'pred': [[50.0, 60.0]],
            'answer': '?',
        },
        {'vid': 'a', 'query': 'a cat sits', 'duration': 40.0, 'pred': [[-1, -1]], 'answer': '?'},
        {'vid': 'b', 'query': 'A dog runs', 'duration': 40.0, 'pred': [[45, 48]], 'answer': '?'},
    ]
    write_jsonl(tmp_path / 'p.jsonl', records)
    found = evaluate_files(tmp_path / 'p.jsonl', truth)
    # A window behind the video is a wrong answer; ten seconds behind it, the mark of TimeLens.
    assert found.answered == 1
    assert [n for t, n in found.notes.items() if 'outside the video' in t] == [2]
    record = {
        'vid': 'a',
        'query': 'A dog runs',
        'duration': 40.0,
        'pred': [[0, 40.0]],
        'conf': [0.0],
    }
    write_jsonl(tmp_path / 'p.jsonl', [record])
    notes = evaluate_files(tmp_path / 'p.jsonl', truth).notes
    assert [n for t, n in notes.items() if 'whole videos with confidence 0' in t] == [1]


def test_the_wrong_way_round(tmp_path, truth):
    """Turned where the code base turns it; else a miss, unless windows are mended."""
    for name, score, mended in (
        ('videomind', 100, 100),
        ('timechat', 100, 100),
        ('windows', 0, 100),
    ):
        path = tmp_path / f'{name}.json'
        path.write_text(json.dumps(answers_of([20, 10])[name]))
        for windows, expected in (('strict', score), ('repair', mended)):
            found = evaluate_files(path, truth, windows=windows, extended=True)
            assert found.result['brief']['MR-full-R1@0.5'] == pytest.approx(expected / 3), name


def test_the_challenge_of_nlq(tmp_path, truth):
    path = tmp_path / 'answers.json'
    result = {'clip_uid': 'c', 'annotation_uid': 'u', 'query_idx': 0, 'predicted_times': [[1, 4]]}
    path.write_text(json.dumps({'version': '1.0', 'results': [result]}))
    answers = read_answers(path)
    assert answers.format == 'nlq' and answers.records[0]['qid'] == 'c_u_0'
    truth = {'qid': 'c_u_0', 'vid': 'c', 'duration': 9, 'relevant_windows': [[1, 7]], 'query': 'q'}
    write_jsonl(tmp_path / 't.jsonl', [truth])
    brief = evaluate_files(path, tmp_path / 't.jsonl', metric='nlq').result['brief']
    assert brief['NLQ/R1@0.3'] == 100 and brief['NLQ/R1@0.5'] == 0  # an IoU of 0.5 is a miss


def test_equal_queries_get_their_answers_in_order(tmp_path):
    truth = [{**QUERIES[0], 'qid': q} for q in (1, 2)]
    path = tmp_path / 'answers.jsonl'
    record = {'vid': 'a', 'query': 'A dog runs', 'conf': [1.0]}
    write_jsonl(path, [{**record, 'pred': [[q, 9]]} for q in (3, 4)])
    found = complete(read_answers(path), truth).predictions
    assert [p['pred_relevant_windows'][0][0] for p in found] == [3, 4]
    # A file that is keyed by the sentence holds one answer for both.
    write_jsonl(path, [{**record, 'pred': [[3, 9]]}])
    found = complete(read_answers(path), truth).predictions
    assert [p['pred_relevant_windows'][0][0] for p in found] == [3, 3]


def test_ids_that_repeat_are_paired_by_position(tmp_path):
    truth = [{**QUERIES[0], 'qid': 1, 'relevant_windows': [[s, s + 5]]} for s in (0, 20)]
    found = [{'qid': 1, 'pred_relevant_windows': [[s, s + 5, 1.0]]} for s in (0, 20)]
    for name, records in (('t', truth), ('p', found)):
        write_jsonl(tmp_path / f'{name}.jsonl', records)
    paths = tmp_path / 'p.jsonl', tmp_path / 't.jsonl'
    with pytest.raises(DataError, match='--qid renumber'):
        evaluate_files(*paths)
    assert evaluate_files(*paths, qid='renumber').result['brief']['MR-full-mAP'] == 100
    write_jsonl(paths[0], found[:1])
    with pytest.raises(DataError, match='1 answers to 2 queries'):
        evaluate_files(*paths, qid='renumber')


def test_what_is_wrong_is_counted_and_the_option_named(tmp_path, truth):
    rows = [[10, 20, 0.1], [30, 20, 0.9], [35, 90, 0.8], [float('nan'), 3, 0.5], [1, 2]]
    scores = [0.1, float('nan'), 0.4]
    records = [{'qid': q['qid'], 'pred_relevant_windows': rows, 'pred_saliency_scores': scores}
               for q in QUERIES]  # fmt: skip
    path = tmp_path / 'p.jsonl'
    write_jsonl(path, records)
    with pytest.raises(DataError, match='--windows repair'):
        evaluate_files(path, truth)
    notes = evaluate_files(path, truth, windows='repair').notes
    for text in (
        'no finite numbers, left out', 'end before they start, turned', 'video, cut',
        'not sorted', 'set to their lowest', 'another number of scores than clips',
    ):  # fmt: skip
        assert [count for note, count in notes.items() if text in note] == [3], text
    answers = complete(read_answers(path), QUERIES, windows='repair').predictions
    assert answers[0]['pred_relevant_windows'].tolist() == [
        [1, 2, 1], [20, 30, 0.9], [35, 40, 0.8], [10, 20, 0.1]
    ]  # fmt: skip
    assert answers[0]['pred_saliency_scores'] == [0.1, 0.1, 0.4]


def test_the_order_of_the_list_can_be_kept(tmp_path, truth):
    rows = [[0, 5, 0.1], [10, 20, 0.9]]
    path = tmp_path / 'p.jsonl'
    write_jsonl(path, [{'qid': q['qid'], 'pred_relevant_windows': rows} for q in QUERIES])
    assert evaluate_files(path, truth).result['brief']['MR-full-R1@0.5'] == 100
    kept = evaluate_files(path, truth, order='list')
    assert kept.result['brief']['MR-full-R1@0.5'] == 0
    rounded = evaluate_files(path, truth, grid=7.0, extended=True).result['brief']
    assert rounded['MR-full-mIoU'] == pytest.approx(100 * 10 / 14)  # [10, 20] becomes [7, 21]


def test_an_empty_list_is_an_answer_where_a_query_may_have_no_moment(tmp_path):
    truth = [{**QUERIES[0], 'qid': q, 'relevant_windows': []} for q in range(4)]
    write_jsonl(tmp_path / 't.jsonl', truth)
    write_jsonl(tmp_path / 'p.jsonl', [{'qid': q, 'pred_relevant_windows': []} for q in range(3)])
    found = evaluate_files(
        tmp_path / 'p.jsonl', tmp_path / 't.jsonl', metric='charades_rf', missing='wrong'
    )
    # The absent one is wrong, although nothing would have been right.
    assert found.result['brief']['Null/Acc'] == 75 and found.answered == 3
    assert list(found.baselines) == ['answered-only', 'reject every query']
    assert found.baselines['answered-only']['Null/Acc'] == 100


def test_faults_of_annotations_are_mended_and_counted(tmp_path):
    truth = [{**QUERIES[0], 'relevant_windows': [[20, 10]]},
             {**QUERIES[1], 'relevant_windows': [[10, 60]]}]  # fmt: skip
    write_jsonl(tmp_path / 't.jsonl', truth)
    found = [{'qid': q['qid'], 'pred_relevant_windows': [[10, 20 + 20 * i, 1.0]]}
             for i, q in enumerate(truth)]  # fmt: skip
    write_jsonl(tmp_path / 'p.jsonl', found)
    paths = tmp_path / 'p.jsonl', tmp_path / 't.jsonl'
    with pytest.raises(DataError, match='--windows repair'):
        evaluate_files(*paths)
    evaluation = evaluate_files(*paths, windows='repair')
    assert evaluation.result['brief']['MR-full-mAP'] == 100
    # The third one is the double space in a query.
    assert sorted(evaluation.notes.values()) == [1, 1, 1]


def test_timechat_is_scored_as_its_file_lies_there(shared):
    path = shared / 'data' / 'more' / 'timechat_qvh_val_highlights_pred.json.gz'
    truth = shared / 'data' / 'qvhighlights' / 'highlight_val_release.jsonl.gz'
    wrong, drop = (evaluate_files(path, truth, missing=m) for m in (None, 'drop'))
    assert (wrong.answered, wrong.total) == (1463, 1550)
    assert wrong.notes == {'predictions that give all clips one score': 675}
    official = evaluate_qvhighlights(
        read_json(path), read_jsonl(truth), rounded=False, subset_ok=True
    )['brief']
    for name, value in official.items():
        assert drop.result['brief'][f'answered-only/{name}'] == pytest.approx(value)
        assert wrong.result['brief'][name] == pytest.approx(value * 1463 / 1550)
        assert wrong.baselines['answered-only'][name] == pytest.approx(value)
    assert round(wrong.result['brief']['HL-min-VeryGood-mAP'], 2) == 12.5
    named = evaluate_files(path, truth, metric='qvhighlights').result['brief']
    assert named == pytest.approx(wrong.result['brief'])


def test_what_no_format_is_and_what_another_tool_reads(tmp_path, truth, shared):
    path = tmp_path / 'p.json'
    for text, words in (
        ('[{"a": 1}]', 'expected a prediction in one of the formats'),
        ('{"a": 5}', 'expected the answer to a query'),
        ('[1]', 'expected a JSON object'),
        ('a b', 'not valid JSON'),
    ):
        path.write_text(text)
        with pytest.raises(DataError, match=words):
            evaluate_files(path, truth)
    with pytest.raises(ConfigError, match='choose text'):
        read_answers(path, 'texts')
    lines = tmp_path / 'charades.txt.gz'
    with gzip.open(lines, 'wt') as file:
        file.write('AAAAA 24.3 30.4##a person opens the door.\n' * 2)
    for pair in ((lines, truth), (path, lines)):
        path.write_text('{"10": "from 1 to 2"}')
        with pytest.raises(DataError, match=r'tools/convert_annotations\.py charades_sta'):
            evaluate_files(*pair)


def test_metrics_are_found_by_benchmark_type_and_prefix():
    assert find_metric('soccer-gmr') == find_metric('GMR') == {'type': 'GeneralizedRetrievalMetric'}
    assert find_metric('na_vmr')['strict'] and find_metric('RecallMetric')['type'] == 'RecallMetric'
    with pytest.raises(ConfigError, match='choose qvm2'):
        find_metric('qvm')
