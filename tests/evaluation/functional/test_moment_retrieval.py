# SPDX-License-Identifier: Apache-2.0
"""Moment retrieval against hand-computed cases and a naive re-computation."""

import numpy as np
import pytest

from vtg.evaluation.functional import average_precision, evaluate_moments, iou_matrix
from vtg.evaluation.functional.moment_retrieval import MAP_THRESHOLDS, WIDE_R1_THRESHOLDS
from vtg.utils import read_json


def one(windows: list, truth: list, **options) -> dict:
    """Evaluate a single query."""
    prediction = {'qid': 'q', 'pred_relevant_windows': windows}
    annotation = {'qid': 'q', 'relevant_windows': truth}
    return evaluate_moments([prediction], [annotation], **options)


def naive_ap(windows: list, truth: list, threshold: float) -> float:
    """Step by step for one query, with Python floats and lists."""
    ranked = sorted(windows[:10], key=lambda window: -window[2])
    taken, hits = set(), []
    for start, end, _ in ranked:
        candidates = []
        for index, (low, high) in enumerate(truth):
            inter = max(0.0, min(end, high) - max(start, low))
            union = (end - start) + (high - low) - inter
            candidates.append((inter / union if union else 9.0, index))
        hit = False
        for iou, index in sorted(candidates, reverse=True):
            if iou < threshold:
                break
            if index not in taken:
                taken.add(index)
                hit = True
                break
        hits.append(hit)
    points = [(sum(hits[: i + 1]), i + 1) for i in range(len(hits))]
    area = 0.0
    for i, hit in enumerate(hits):
        if hit:
            area += max(found / rank for found, rank in points[i:]) / len(truth)
    return area


def test_thresholds_are_the_literals():
    assert MAP_THRESHOLDS == (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
    assert WIDE_R1_THRESHOLDS[:5] == (0.3, 0.35, 0.4, 0.45, 0.5)
    assert len(WIDE_R1_THRESHOLDS) == 14


@pytest.mark.parametrize('name', ['eval_edge_qvhighlights', 'eval_edge_moment_retrieval'])
def test_official_ap_of_every_query(shared, name):
    case = read_json(shared / 'golden' / f'{name}.json')
    truth = {str(record['qid']): record for record in case['ground_truth']}
    for record in case['submission']:
        qid = str(record['qid'])
        result = one(record['pred_relevant_windows'], truth[qid]['relevant_windows'])
        values = list(result['full']['MR-mAP'].values())[:10]
        assert values == pytest.approx([100 * ap for ap in case['ap_per_query'][qid]], abs=1e-9)


def test_against_naive_recomputation():
    rng = np.random.default_rng(4)
    predictions, annotations, expected = [], [], []
    for qid in range(150):
        # A coarse grid makes equal IoUs, equal scores and windows without length frequent.
        starts = rng.integers(0, 8, (rng.integers(1, 16), 1))
        spans = np.hstack((starts, starts + rng.integers(0, 8, starts.shape)))
        windows = np.hstack((spans, rng.integers(0, 4, starts.shape) / 4)).tolist()
        starts = rng.integers(0, 8, (rng.integers(1, 14), 1))
        truth = np.hstack((starts, starts + rng.integers(0, 8, starts.shape))).tolist()
        predictions.append({'qid': qid, 'pred_relevant_windows': windows})
        annotations.append({'qid': qid, 'relevant_windows': truth})
        expected.append([naive_ap(windows, truth, t) for t in MAP_THRESHOLDS])
    result = evaluate_moments(predictions, annotations)['full']['MR-mAP']
    means = 100 * np.mean(expected, axis=0)
    assert list(result.values())[:10] == pytest.approx(means.tolist(), abs=1e-9)
    assert result['average'] == pytest.approx(means.mean(), abs=1e-9)


def test_only_the_first_ten_windows_count_whatever_their_score():
    windows = [[90.0, 99.0, 0.1]] * 10 + [[0.0, 10.0, 0.9]]
    assert one(windows, [[0, 10]])['full']['MR-mAP']['average'] == 0
    assert one(windows[1:], [[0, 10]])['full']['MR-mAP']['average'] == 100


def test_a_prediction_may_take_its_second_best_window():
    windows = [[0.0, 10.0, 0.9], [0.0, 10.0, 0.8]]
    result = one(windows, [[0, 10], [0, 8]])['full']['MR-mAP']
    assert result['0.8'] == 100
    assert result['0.85'] == 50


def test_the_threshold_itself_is_a_hit():
    result = one([[0.0, 5.0, 1.0]], [[0, 10]])['full']
    assert result['MR-mAP']['0.5'] == result['MR-R1']['0.5'] == 100
    assert result['MR-mAP']['0.55'] == 0


def test_r1_reads_the_list_order_and_map_the_scores():
    result = one([[50.0, 60.0, 0.1], [0.0, 10.0, 0.9]], [[0, 10]])['full']
    assert result['MR-R1']['0.5'] == 0
    assert result['MR-mAP']['average'] == 100


def test_windows_without_length():
    # 0/0: a hit at every threshold for mAP; for R@1 the hull of equal points is empty.
    result = one([[5.0, 5.0, 1.0]], [[5, 5]], miou=True)['full']
    assert result['MR-mAP']['average'] == 100
    assert result['MR-R1']['0.5'] == 0
    assert result['MR-mIoU'] == 0
    iou = iou_matrix(np.array([[[5.0, 5.0]]]), np.array([[[5.0, 5.0], [4.0, 6.0]]]))
    assert np.isnan(iou[0, 0, 0])
    assert iou[0, 0, 1] == 0


def test_length_ranges_are_open_below_and_closed_above():
    truth = [[0, 10], [20, 50], [60, 210], [0, 160]]
    annotations = [{'qid': i, 'relevant_windows': [window]} for i, window in enumerate(truth)]
    predictions = [
        {'qid': i, 'pred_relevant_windows': [[*window, 1.0]]} for i, window in enumerate(truth)
    ]
    predictions[1]['pred_relevant_windows'] = [[90.0, 91.0, 1.0]]
    result = evaluate_moments(predictions, annotations)
    assert {name: value['MR-mAP']['average'] for name, value in result.items()} == {
        'full': 75.0,
        'long': 100.0,
        'middle': 0.0,
        'short': 100.0,
    }


def test_hits_outside_the_range_are_false_positives_inside_it():
    windows = [[0.0, 40.0, 0.9], [50.0, 60.0, 0.8]]
    result = one(windows, [[0, 40], [50, 60]])
    assert result['full']['MR-mAP']['average'] == 100
    assert result['short']['MR-mAP']['average'] == pytest.approx(50)
    assert result['short']['MR-R1']['0.5'] == 0


def test_padding_does_not_matter():
    rng = np.random.default_rng(0)
    iou = rng.random((3, 4, 2))
    masks = np.ones((3, 4), bool), np.ones((3, 2), bool)
    expected = average_precision(iou, *masks, np.array(MAP_THRESHOLDS))
    padded = np.ones((3, 6, 5))
    padded[:, :4, :2] = iou
    wide = [np.pad(mask, ((0, 0), (0, extra))) for mask, extra in zip(masks, (2, 3))]
    got = average_precision(padded, *wide, np.array(MAP_THRESHOLDS))
    np.testing.assert_array_equal(got, expected)


def test_negative_scores_stay_before_the_padding():
    predictions = [
        {'qid': 0, 'pred_relevant_windows': [[0.0, 10.0, -5.0]]},
        {'qid': 1, 'pred_relevant_windows': [[0.0, 10.0, -1.0], [20.0, 30.0, -2.0]]},
    ]
    annotations = [{'qid': qid, 'relevant_windows': [[0, 10]]} for qid in range(2)]
    assert evaluate_moments(predictions, annotations)['full']['MR-mAP']['average'] == 100
