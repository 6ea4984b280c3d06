# SPDX-License-Identifier: Apache-2.0
"""Prediction files: what is refused with file and line, what is counted, which formats are read."""

import copy
import gzip
import json
import math

import pytest

from vtg.apis.evaluation import evaluate_files
from vtg.utils import DataError, write_jsonl

CLIPS = 10


def make() -> tuple[list[dict], list[dict]]:
    """Three queries over videos of 20 s, all predicted perfectly."""
    annotations = [
        {
            'qid': qid, 'query': 'a dog', 'vid': f'v{qid}', 'duration': 20,
            'relevant_windows': [[2, 8]], 'relevant_clip_ids': [1, 2, 3],
            'saliency_scores': [[4, 3, 4], [4, 4, 4], [2, 4, 4]],
        }
        for qid in range(3)
    ]  # fmt: skip
    predictions = [
        {
            'qid': qid, 'query': 'a dog', 'vid': f'v{qid}',
            'pred_relevant_windows': [[2, 8, 0.9], [12, 16, 0.2]],
            'pred_saliency_scores': [0.1, 0.8, 0.9, 0.7, *[0.1] * 6],
        }
        for qid in range(3)
    ]  # fmt: skip
    return predictions, annotations


def evaluate(folder, predictions, annotations, **options):
    write_jsonl(folder / 'p.jsonl', predictions)
    write_jsonl(folder / 'a.jsonl', annotations)
    return evaluate_files(folder / 'p.jsonl', folder / 'a.jsonl', **options)


def test_nothing_is_noted_of_usual_files(tmp_path):
    evaluation = evaluate(tmp_path, *make())
    assert evaluation.notes == {}
    assert evaluation.result['brief']['MR-full-mAP'] == 100


WINDOWS, SCORES = 'pred_relevant_windows', 'pred_saliency_scores'
NAN, INF, HUGE = float('nan'), float('inf'), 10**400
REFUSED = {
    'text in a window': ('p', WINDOWS, [['2', 8, 0.9]], "entry 1 is ['2', 8, 0.9]"),
    'a truth value in a window': ('p', WINDOWS, [[2, 8, 1.0], [2, 8, True]], 'entry 2'),
    'a window of NaN': ('p', WINDOWS, [[2, NAN, 0.9]], 'finite'),
    'an infinite window': ('p', WINDOWS, [[2, INF, 0.9]], 'finite'),
    'four columns': ('p', WINDOWS, [[2, 8, 0.9, 1]], 'rows of 3'),
    'two columns': ('p', WINDOWS, [[2, 8]], 'rows of 3'),
    'an integer of 401 digits': ('p', WINDOWS, [[2, HUGE, 0.9]], 'finite'),
    'an eleventh window of text': ('p', WINDOWS, [*[[2, 8, 0.9]] * 10, 'abc'], 'entry 11'),
    'no windows': ('p', WINDOWS, [], 'write a window'),
    'an object of windows': ('p', WINDOWS, {}, 'write a window'),
    'text as scores': ('p', SCORES, ['0.5'] * CLIPS, 'finite numbers'),
    'truth values as scores': ('p', SCORES, [True] * CLIPS, 'finite numbers'),
    'scores as text': ('p', SCORES, '0123456789', 'one number per clip'),
    'a score of NaN': ('p', SCORES, [NAN] * CLIPS, 'finite numbers'),
    'no scores': ('p', SCORES, None, 'one number per clip'),
    'a qid of another type': ('p', 'qid', True, 'expected an integer or a string'),
    'a list as qid': ('p', 'qid', [1], 'expected an integer or a string'),
    'a qid twice': ('p', 'qid', 0, 'first in line 1'),
    'a reversed annotation': ('a', 'relevant_windows', [[8, 2]], 'does not end after'),
    'text in the annotation': ('a', 'relevant_windows', [['2', 8]], 'rows of 2'),
    'windows of another type': ('a', 'relevant_windows', {}, 'expected a list'),
    'no duration': ('a', 'duration', -5, 'expected seconds'),
    'an endless video': ('a', 'duration', 2**31, 'expected seconds'),
    'a fraction as clip': ('a', 'relevant_clip_ids', [1, 2.5, 3], 'holds no indices'),
    'a clip twice': ('a', 'relevant_clip_ids', [1, 2, 2], 'repeats a clip'),
    'plain grades': ('a', 'saliency_scores', [4, 4, 4], 'rows of 3'),
    'a grade of 99': ('a', 'saliency_scores', [[4, 4, 99]] * 3, 'outside 0 to 4'),
    'a truth value as grade': ('a', 'saliency_scores', [[4, 4, True]] * 3, 'finite numbers'),
}  # fmt: skip


@pytest.mark.parametrize('name', REFUSED)
def test_refused_with_file_and_line(tmp_path, name):
    side, field, value, message = REFUSED[name]
    predictions, annotations = make()
    {'p': predictions, 'a': annotations}[side][1][field] = value
    with pytest.raises(DataError) as error:
        evaluate(tmp_path, predictions, annotations)
    sentence = str(error.value)
    assert f'{side}.jsonl, line 2' in sentence and message in sentence
    assert sentence.endswith('.') and len(sentence) < 400


NOTED = {
    'a reversed window': (WINDOWS, [[8, 2, 0.9]], 'end before they start', 200 / 3),
    'the case of 100 per cent': (WINDOWS, [[14, 8, 0.9]], 'end before they start', 200 / 3),
    'no length': (WINDOWS, [[2, 8, 0.9], [4, 4, 0.3]], 'windows without length', 100),
    'before 0': (WINDOWS, [[2, 8, 0.9], [-3, 4, 0.3]], 'begin before 0', 100),
    'beyond the video': (WINDOWS, [[2, 8, 0.9], [15, 21, 0.3]], 'end after the video', 100),
    'not sorted': (WINDOWS, [[2, 8, 0.2], [12, 16, 0.9]], 'not sorted', 250 / 3),
    'many windows': (WINDOWS, [[2, 8, 0.9]] * 11, 'more than 10', 100),
    'many scores': (SCORES, [0.5, 0.2] * 500, '1000 for 10', 100),
    'few scores': (SCORES, [0.5, 0.2], '2 for 10', 100),
    'one score for all': (SCORES, [0.5] * CLIPS, 'all clips one score', 100),
    'another video': ('vid', 'v7', 'another video', 100),
}


@pytest.mark.parametrize('name', NOTED)
def test_counted(tmp_path, name):
    field, value, text, expected = NOTED[name]
    predictions, annotations = make()
    predictions[1][field] = value
    evaluation = evaluate(tmp_path, predictions, annotations)
    assert [(text in note, count) for note, count in evaluation.notes.items()] == [(True, 1)]
    assert evaluation.result['brief']['MR-full-mAP'] == pytest.approx(expected)


def test_what_is_missing_counts_as_wrong_or_goes_under_another_name(tmp_path):
    predictions, annotations = make()
    with pytest.raises(DataError, match='--missing wrong'):
        evaluate(tmp_path, predictions[:2], annotations)
    wrong = evaluate(tmp_path, predictions[:2], annotations, missing='wrong')
    assert (wrong.answered, wrong.total) == (2, 3)
    brief = wrong.result['brief']
    assert brief['MR-full-mAP'] == pytest.approx(200 / 3) and wrong.notes == {}
    assert brief['MR-full-R1@0.5'] == pytest.approx(200 / 3)
    whole = evaluate(tmp_path, *make()).result['brief']
    for name in ('HL-min-Fair-mAP', 'HL-min-VeryGood-Hit1'):
        assert brief[name] == pytest.approx(whole[name] * 2 / 3)
    drop = evaluate(tmp_path, predictions[:2], annotations, missing='drop')
    assert drop.answered == 2 and drop.result['brief']['answered-only/MR-full-mAP'] == 100
    assert not any(name.startswith('MR') for name in drop.result['brief'])
    whole = evaluate(tmp_path, predictions[:2], annotations, missing='full-video')
    assert whole.result['brief']['MR-full-R1@0.5'] == pytest.approx(200 / 3)


def test_the_first_prediction_does_not_hide_a_task(tmp_path):
    predictions, annotations = make()
    del predictions[0][SCORES]
    with pytest.raises(DataError, match='line 1 has no `pred_saliency_scores`, but line 2 has'):
        evaluate(tmp_path, predictions, annotations)


@pytest.mark.parametrize('bare', [False, True])
def test_a_query_without_a_moment(tmp_path, bare):
    """Moment retrieval leaves it out; it has no highlight to be found."""
    predictions, annotations = make()
    expected = evaluate(tmp_path, predictions[1:], annotations[1:]).result
    annotations[0] |= {'relevant_windows': [], 'relevant_clip_ids': [], 'saliency_scores': []}
    if bare:
        del annotations[0]['relevant_clip_ids'], annotations[0]['saliency_scores']
    for windows in ([[2, 8, 0.9]], []):
        predictions[0][WINDOWS] = windows
        evaluation = evaluate(tmp_path, predictions, annotations)
        assert evaluation.result['full'] == expected['full']
        fair = expected['HL-min-Fair']['HL-mAP']
        assert evaluation.result['HL-min-Fair']['HL-mAP'] == pytest.approx(fair * 2 / 3)
        assert list(evaluation.notes.values()) == [1]
    for record in annotations:
        record['relevant_windows'] = []
    assert math.isnan(evaluate(tmp_path, predictions, annotations).result['brief']['MR-full-mAP'])


@pytest.mark.parametrize('kind', ['.jsonl', '.json', '.jsonl.gz', '.json.gz'])
@pytest.mark.parametrize('own', [False, True])
def test_formats(tmp_path, kind, own):
    """JSON lines and lists, plain and gzip, in the official format and that for own data."""
    predictions, annotations = make()
    expected = evaluate(tmp_path, predictions, annotations).result['brief']
    if own:
        grades = [0.0, 4, 4, 4, *[0] * 6]
        annotations = [
            {'video': r['vid'], 'duration': 20, 'query': 'a dog', 'windows': [[2, 8]],
             'saliency': grades} for r in annotations
        ]  # fmt: skip
        for number, record in enumerate(predictions, start=1):
            record['qid'] = f'test-{number}'
        del annotations[1]['saliency']
    paths = []
    for name, records in (('p', predictions), ('test', annotations)):
        texts = [json.dumps(record) for record in records]
        text = '[' + ',\n  '.join(texts) + ']' if '.json.' in kind + '.' else '\n'.join(texts)
        opener = gzip.open if kind.endswith('.gz') else open
        paths.append(tmp_path / f'{name}{kind}')
        with opener(paths[-1], 'wt', encoding='utf-8') as file:
            file.write(text)
    evaluation = evaluate_files(*paths)
    assert evaluation.notes == {}
    found = evaluation.result['brief']
    assert found['MR-full-mAP'] == expected['MR-full-mAP'] == 100
    assert found['HL-min-Fair-Hit1'] == 100
    if not own:
        assert found == expected


def test_own_data_with_a_mistake(tmp_path):
    predictions, _ = make()
    own = [{'video': f'v{qid}', 'duration': 20, 'query': 'q', 'qid': qid} for qid in range(3)]
    own[2] = copy.deepcopy(own[2]) | {'windows': [[8, 2]]}
    with pytest.raises(DataError, match=r'a\.jsonl, line 3: window'):
        evaluate(tmp_path, predictions, own)
    del own[2]['windows']
    with pytest.raises(DataError, match='labelled split'):
        evaluate(tmp_path, predictions, own)


def test_a_list_of_other_things(tmp_path):
    _, annotations = make()
    write_jsonl(tmp_path / 'a.jsonl', annotations)
    for text, message in (('[1]', 'record 1: expected a JSON object'), ('[[', 'valid JSON')):
        (tmp_path / 'p.json').write_text(text)
        with pytest.raises(DataError, match=message):
            evaluate_files(tmp_path / 'p.json', tmp_path / 'a.jsonl')


def test_one_long_video_does_not_set_the_size_of_all(tmp_path):
    """400 queries padded to 11 days would be tens of gigabytes."""
    predictions, annotations = make()
    predictions = [predictions[0] | {'qid': qid} for qid in range(400)]
    annotations = [annotations[0] | {'qid': qid} for qid in range(400)]
    expected = evaluate(tmp_path, predictions, annotations).result['brief']
    annotations[7]['duration'] = 1e6
    found = evaluate(tmp_path, predictions, annotations).result['brief']
    assert found == pytest.approx(expected, nan_ok=True)


def test_the_reversed_case(shared):
    folder = shared / 'cases'
    evaluation = evaluate_files(
        folder / 'eval_reversed_window_scores_100.jsonl', folder / 'eval_annotation.jsonl'
    )
    assert evaluation.result['brief']['MR-full-mAP'] == 0
    assert any('end before they start' in note for note in evaluation.notes)
