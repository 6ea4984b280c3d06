# SPDX-License-Identifier: Apache-2.0
"""Queries are evaluated in parts, from lists or arrays, without a change in any digit."""

import copy

import numpy as np
import pytest

from vtg.evaluation.functional import (
    RecordError,
    evaluate_qvhighlights,
    highlights,
    moment_retrieval,
    pack_rows,
    survey,
    survey_predictions,
)


def records(count=40):
    random = np.random.default_rng(0)
    predictions, annotations = [], []
    for qid in range(count):
        clips = int(random.integers(5, 30))
        windows = np.sort(2 * random.random((random.integers(1, 13), 2)) * clips, axis=1)
        scores = random.random((len(windows), 1)).round(2)
        ids = list(range(int(random.integers(0, clips - 3)), clips - 1))
        truth = 2 * np.sort(random.integers(0, clips, (random.integers(1, 4), 2)), axis=1) + [0, 1]
        predictions.append({
            'qid': qid,
            'vid': 'v',
            'pred_relevant_windows': np.hstack((windows, scores)).tolist(),
            'pred_saliency_scores': random.random(clips).round(1).tolist(),
        })  # fmt: skip
        annotations.append({
            'qid': qid,
            'vid': 'v',
            'duration': 2 * clips,
            'relevant_windows': truth.tolist(),
            'relevant_clip_ids': ids,
            'saliency_scores': random.integers(0, 5, (len(ids), 3)).tolist(),
        })  # fmt: skip
    predictions[3]['pred_saliency_scores'] = [0.5] * 4
    annotations[5]['relevant_windows'] = []
    return predictions, annotations


def packed(predictions):
    predictions = copy.deepcopy(predictions)
    pack_rows(predictions, 'pred_relevant_windows', 3)
    pack_rows(predictions, 'pred_saliency_scores')
    return predictions


def results(predictions, annotations):
    whole = evaluate_qvhighlights(predictions, annotations, rounded=False, extended=True)
    return whole, survey_predictions(predictions, annotations)


def test_parts_and_arrays_give_the_same_digits(monkeypatch):
    predictions, annotations = records()
    expected = results(predictions, annotations)
    assert 'predictions that give all clips one score' in expected[1]
    arrays = packed(predictions)
    assert isinstance(arrays[0]['pred_relevant_windows'], np.ndarray)
    assert results(arrays, annotations) == expected
    monkeypatch.setattr(moment_retrieval, '_MOST', 6)
    monkeypatch.setattr(highlights, '_MOST', 200)
    monkeypatch.setattr(survey, '_PART', 7)
    assert results(predictions, annotations) == expected
    assert results(arrays, annotations) == expected


def test_what_is_wrong_stays_a_list():
    predictions, annotations = records(6)
    predictions[2]['pred_relevant_windows'][0] = [0.0, 'x', 1.0]
    predictions[1]['pred_saliency_scores'] = []
    arrays = packed(predictions)
    assert arrays[0]['pred_relevant_windows'] == predictions[0]['pred_relevant_windows']
    assert arrays[1]['pred_saliency_scores'] == []
    for given in (predictions, arrays):
        with pytest.raises(RecordError, match=r'qid 2: `pred_relevant_windows` .* entry 1 is'):
            evaluate_qvhighlights(given, annotations)


def test_no_array_grows_with_the_number_of_queries(monkeypatch):
    sizes = []
    original = moment_retrieval.iou_matrix
    monkeypatch.setattr(
        moment_retrieval, 'iou_matrix', lambda a, b: sizes.append(len(b)) or original(a, b)
    )
    monkeypatch.setattr(moment_retrieval, '_MOST', 64)
    predictions, annotations = records(200)
    evaluate_qvhighlights(predictions, annotations)
    assert max(sizes) <= 64 and sum(sizes) == 199
