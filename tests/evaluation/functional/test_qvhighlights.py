# SPDX-License-Identifier: Apache-2.0
"""The evaluator against official results, on real prediction files and on corner cases."""

import copy
import functools
import math
import random
import subprocess
import sys

import pytest

from vtg.evaluation.functional import evaluate_qvhighlights, round_percent
from vtg.utils import DataError, read_json, read_jsonl

FILES = (
    'moment_detr_sample_val_preds',
    'qd_detr_video_best_val_preds',
    'cg_detr_best_val_preds',
    'taskweave_mr_best_val_preds',
)


def assert_equal(got: dict, expected: dict, tolerance: float = 0.0, path: str = '') -> None:
    """Nested dicts with the same keys in the same order and equal numbers."""
    assert list(got) == list(expected), path
    for key, value in expected.items():
        if isinstance(value, dict):
            assert_equal(got[key], value, tolerance, f'{path}/{key}')
        else:
            assert type(got[key]) is float
            assert abs(got[key] - value) <= tolerance, f'{path}/{key}: {got[key]} != {value}'


read_once = functools.cache(read_jsonl)


@pytest.mark.parametrize('name', FILES)
def test_real_files(shared, name):
    annotations = read_once(shared / 'data' / 'qvhighlights' / 'highlight_val_release.jsonl.gz')
    folder = shared / 'data' / 'predictions'
    predictions = read_jsonl(folder / f'{name}.jsonl.gz')
    official = read_json(shared / 'golden' / 'eval_real_files.json')['files'][f'{name}.jsonl.gz']

    full = evaluate_qvhighlights(predictions, annotations, rounded=False)
    extended = evaluate_qvhighlights(predictions, annotations, rounded=False, extended=True)
    assert_equal(full, official['result_unrounded'], 1e-9)
    assert_equal(extended, official['result_unrounded_miou'], 1e-9)
    assert_equal(round_percent(full), official['result_rounded'])
    assert evaluate_qvhighlights(predictions, annotations) == official['result_rounded']

    shipped = read_json(folder / f'{name}_metrics.json')
    ours = extended if 'MR-full-mIoU' in shipped['brief'] else full
    assert round_percent(ours) == shipped


@pytest.mark.parametrize(
    ('name', 'extended', 'suffix'),
    [
        ('eval_edge_qvhighlights', False, ''),
        ('eval_edge_qvhighlights', True, '_miou'),
        ('eval_edge_moment_retrieval', True, ''),
    ],
)
def test_corner_cases(shared, name, extended, suffix):
    case = read_json(shared / 'golden' / f'{name}.json')
    records = case['submission'], case['ground_truth']
    got = evaluate_qvhighlights(*records, rounded=False, extended=extended)
    assert_equal(got, case[f'result_unrounded{suffix}'], 1e-9)
    if not suffix:
        rounded = evaluate_qvhighlights(*records, extended=extended)
        assert_equal(rounded, case['result_rounded'])


def make_case(count: int = 12) -> tuple[list[dict], list[dict]]:
    """Random queries over 20 clips."""
    draw = random.Random(1)
    predictions, annotations = [], []
    for qid in range(count):
        clips = sorted(draw.sample(range(20), 5))
        annotations.append(
            {
                'qid': qid,
                'duration': 40,
                'relevant_windows': [[2 * clip, 2 * clip + 2] for clip in clips],
                'relevant_clip_ids': clips,
                'saliency_scores': [[draw.randint(0, 4) for _ in range(3)] for _ in clips],
            }
        )
        windows = [[2 * clip, 2 * clip + 4, draw.random()] for clip in clips]
        saliency = [draw.random() for _ in range(20)]
        predictions.append(
            {'qid': qid, 'pred_relevant_windows': windows, 'pred_saliency_scores': saliency}
        )
    return predictions, annotations


def test_order_of_the_records_does_not_matter():
    predictions, annotations = make_case()
    expected = evaluate_qvhighlights(predictions, annotations)
    assert evaluate_qvhighlights(predictions[::-1], annotations) == expected


def test_inputs_are_not_changed():
    predictions, annotations = make_case()
    before = copy.deepcopy((predictions, annotations))
    evaluate_qvhighlights(predictions, annotations)
    assert (predictions, annotations) == before


def test_the_first_prediction_decides_which_tasks_are_evaluated():
    predictions, annotations = make_case()
    del predictions[0]['pred_saliency_scores']
    result = evaluate_qvhighlights(predictions, annotations)
    assert list(result) == ['brief', 'full', 'long', 'middle', 'short']
    predictions, annotations = make_case()
    del predictions[0]['pred_relevant_windows']
    result = evaluate_qvhighlights(predictions, annotations)
    assert list(result) == ['brief', 'HL-min-Fair', 'HL-min-Good', 'HL-min-VeryGood']
    assert len(result['brief']) == 6


def test_annotations_without_saliency_give_moment_retrieval_only():
    predictions, annotations = make_case()
    bare = [{k: r[k] for k in ('qid', 'duration', 'relevant_windows')} for r in annotations]
    assert set(evaluate_qvhighlights(predictions, bare)) == {
        'brief',
        'full',
        'long',
        'middle',
        'short',
    }


def test_empty_ranges_have_no_value():
    predictions, annotations = make_case()
    for rounded in (True, False):
        result = evaluate_qvhighlights(predictions, annotations, extended=True, rounded=rounded)
        assert math.isnan(result['brief']['MR-long-mAP'])
        for name in ('long', 'middle'):
            values = [result[name]['MR-mIoU'], *result[name]['MR-R1'].values()]
            assert all(map(math.isnan, [*values, *result[name]['MR-mAP'].values()]))
        assert result['short'] == result['full']


def test_queries_without_windows_are_left_out_of_moment_retrieval():
    predictions, annotations = make_case()
    kept = evaluate_qvhighlights(predictions[1:], annotations[1:])
    annotations[0] |= {'relevant_windows': [], 'relevant_clip_ids': [], 'saliency_scores': []}
    result = evaluate_qvhighlights(predictions, annotations)
    assert result['full'] == kept['full']
    # Highlight detection keeps the query with an average precision of 0.
    ratio = result['HL-min-Fair']['HL-mAP'] / kept['HL-min-Fair']['HL-mAP']
    assert ratio == pytest.approx(11 / 12, abs=1e-3)


def test_subsets_need_permission():
    predictions, annotations = make_case()
    expected = evaluate_qvhighlights(predictions[:5], annotations[:5])
    assert evaluate_qvhighlights(predictions[:5], annotations, subset_ok=True) == expected
    with pytest.raises(DataError, match='7 annotated queries have no prediction'):
        evaluate_qvhighlights(predictions[:5], annotations)
    with pytest.raises(DataError, match='7 predictions have no annotation'):
        evaluate_qvhighlights(predictions, annotations[:5])
    with pytest.raises(DataError, match='nothing is common'):
        evaluate_qvhighlights(predictions[:5], annotations[5:], subset_ok=True)


def corrupt(predictions, annotations, problem):
    target, field, value = problem
    record = (predictions if target == 'p' else annotations)[3]
    if value is None:
        del record[field]
    else:
        record[field] = value


PROBLEMS = {
    'empty windows': (('p', 'pred_relevant_windows', []), 'qid 3.*at least one'),
    'no windows': (('p', 'pred_relevant_windows', None), 'qid 3.*at least one'),
    'short row': (('p', 'pred_relevant_windows', [[1.0, 2.0]]), 'qid 3.*rows of 3'),
    'flat row': (('p', 'pred_relevant_windows', [1.0, 2.0, 0.5]), 'qid 3.*rows of 3'),
    'text': (('p', 'pred_relevant_windows', [['a', 2.0, 0.5]]), 'qid 3.*rows of 3'),
    'nan window': (('p', 'pred_relevant_windows', [[0.0, 2.0, float('nan')]]), 'qid 3.*finite'),
    'empty saliency': (('p', 'pred_saliency_scores', []), 'qid 3.*one number per clip'),
    'no saliency': (('p', 'pred_saliency_scores', None), 'qid 3.*one number per clip'),
    'nan saliency': (('p', 'pred_saliency_scores', [float('nan')]), 'qid 3.*finite'),
    'nested saliency': (('p', 'pred_saliency_scores', [[1.0]]), 'qid 3.*finite numbers'),
    'duplicate': (('p', 'qid', 4), 'qid 4 occurs twice among the prediction'),
    'duplicate truth': (('a', 'qid', 4), 'qid 4 occurs twice among the annotation'),
    'qid missing': (('p', 'qid', None), 'prediction record 4'),
    'qid kind': (('p', 'qid', '3'), 'integers on one side and strings'),
    'no duration': (('a', 'duration', None), 'qid 3.*`duration`'),
    'no grades': (('a', 'saliency_scores', None), 'qid 3.*`saliency_scores`'),
    'grades differ': (('a', 'saliency_scores', [[1, 2, 3]]), 'qid 3.*differ in number'),
    'clip outside': (('a', 'relevant_clip_ids', [1, 2, 3, 4, 20]), 'qid 3.*outside the video'),
    'truth row': (('a', 'relevant_windows', [[1, 2, 3]]), 'qid 3.*rows of 2'),
}


@pytest.mark.parametrize('name', PROBLEMS)
def test_broken_input_is_one_sentence_that_names_the_query(name):
    problem, message = PROBLEMS[name]
    predictions, annotations = make_case()
    corrupt(predictions, annotations, problem)
    with pytest.raises(DataError, match=message):
        evaluate_qvhighlights(predictions, annotations)


def test_nothing_to_evaluate():
    predictions, annotations = make_case()
    with pytest.raises(DataError, match='no records'):
        evaluate_qvhighlights([], [])
    unlabelled = [{'qid': record['qid'], 'duration': 40} for record in annotations]
    with pytest.raises(DataError, match='labelled split'):
        evaluate_qvhighlights(predictions, unlabelled)


def test_import_is_light():
    code = (
        'import sys, vtg.evaluation.functional as f; '
        'sys.exit(bool({"torch", "mmengine", "sklearn"} & set(sys.modules)))'
    )
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0
