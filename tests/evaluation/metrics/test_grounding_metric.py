# SPDX-License-Identifier: Apache-2.0
"""The metric for own data."""

import numpy as np
import pytest

from vtg.evaluation import functional
from vtg.registry import METRICS


def evaluate(predictions, annotations, **options):
    metric = METRICS.build(dict(type='GroundingMetric', **options))
    metric.add(predictions, annotations)
    return metric.evaluate(len(predictions)), metric


def make(count=8, clips=40, seed=0):
    """Graded annotations of clips of 2 s in both formats, and predictions."""
    rng = np.random.default_rng(seed)
    predictions, own, official = [], [], []
    for qid in range(count):
        grades = rng.integers(0, 5, clips).tolist()
        windows = [[0, 8], [20, 60]][: 1 + qid % 2]
        base = {'qid': qid, 'vid': 'v', 'query': 'q', 'duration': 2 * clips}
        own.append({**base, 'relevant_windows': windows, 'saliency': grades})
        ids = [clip for clip in range(clips) if grades[clip]]
        official.append({
            **base, 'relevant_windows': windows, 'relevant_clip_ids': ids,
            'saliency_scores': [[grades[clip]] for clip in ids],
        })  # fmt: skip
        spans = np.sort(rng.uniform(0, 2 * clips, (5, 2)), axis=1)
        predictions.append({
            'qid': qid, 'vid': 'v', 'query': 'q',
            'pred_relevant_windows': [[*span, 1 - i / 9] for i, span in enumerate(spans.tolist())],
            'pred_saliency_scores': rng.normal(size=clips).tolist(),
        })  # fmt: skip
    return predictions, own, official


def test_the_numbers_are_those_of_qvhighlights():
    predictions, own, official = make()
    found, metric = evaluate(predictions, own)
    expected = functional.evaluate_qvhighlights(
        predictions, official, rounded=False, extended=True
    )['brief']
    assert set(expected) <= {key.removeprefix('grounding/') for key in found}
    for key, value in expected.items():
        assert found[f'grounding/{key}'] == pytest.approx(value, abs=1e-9, nan_ok=True), key
    assert metric.predictions[0]['pred_saliency_scores'] == predictions[0]['pred_saliency_scores']


def test_queries_without_grades_count_for_moments_only():
    predictions, own, _ = make()
    half = [{k: v for k, v in r.items() if k != 'saliency'} if r['qid'] % 2 else r for r in own]
    found, _ = evaluate(predictions, half)
    graded, _ = evaluate(predictions[::2], own[::2])
    for key in ('HL-min-Good-mAP', 'HL-min-Good-Hit1'):
        assert found[f'grounding/{key}'] == graded[f'grounding/{key}']
    none, _ = evaluate(predictions, [{k: v for k, v in r.items() if k != 'saliency'} for r in own])
    assert 'grounding/MR-full-mAP' in none and not [key for key in none if 'HL' in key]


def test_long_moments_and_other_clip_lengths():
    """The range `long` has no end; the number of grades says how many clips there are."""
    annotation = {
        'qid': 1, 'vid': 'v', 'query': 'q', 'duration': 1000.0,
        'relevant_windows': [[100, 900]], 'saliency': [0] * 60 + [4] * 40,
    }  # fmt: skip
    prediction = {
        'qid': 1, 'vid': 'v', 'query': 'q', 'pred_relevant_windows': [[100, 900, 1.0]],
        'pred_saliency_scores': [0.0] * 99 + [1.0],
    }  # fmt: skip
    found, _ = evaluate([prediction], [annotation])
    assert found['grounding/MR-long-mAP'] == 100 and found['grounding/MR-full-mAP'] == 100
    assert found['grounding/HL-min-VeryGood-Hit1'] == 100


def test_nothing_without_labels():
    predictions, own, _ = make(2)
    bare = [{**record, 'saliency': None, 'relevant_windows': None} for record in own]
    found, metric = evaluate(predictions, bare)
    assert found == {} and len(metric.predictions) == 2


def test_grades_without_moments():
    """Not annotated, or annotated as none: the highlights are evaluated all the same."""
    predictions, own, _ = make()
    expected, _ = evaluate(predictions, own)
    bare = [{k: v for k, v in record.items() if k != 'relevant_windows'} for record in own]
    found, _ = evaluate(predictions, bare)
    assert found == {key: value for key, value in expected.items() if 'HL' in key}
    found, _ = evaluate(predictions, [{**record, 'relevant_windows': []} for record in own])
    assert set(found) == set(expected)
    assert all(np.isnan(value) for key, value in found.items() if 'MR' in key)
    assert all(value == expected[key] for key, value in found.items() if 'HL' in key)


def test_reversed_and_unsorted_windows_are_logged(monkeypatch):
    predictions, own, _ = make()
    lines = []
    module = 'vtg.evaluation.metrics.lists.print_log'
    monkeypatch.setattr(module, lambda text, **kwargs: lines.append(text))
    evaluate(predictions, own)
    assert not lines
    predictions[0]['pred_relevant_windows'] = [[8, 0, 0.1], [0, 8, 0.9]]
    evaluate(predictions, own)
    assert len(lines) == 2 and 'end before they start' in lines[0] and 'not sorted' in lines[1]
