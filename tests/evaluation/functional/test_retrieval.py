# SPDX-License-Identifier: Apache-2.0
"""Single-window data against reference values, and R@5 by an independent loop."""

import json
import random

import pytest

from vtg.evaluation.functional import evaluate_moment_retrieval
from vtg.utils import DataError


@pytest.fixture
def golden(shared):
    return json.loads((shared / 'golden' / 'eval_edge_moment_retrieval.json').read_text())


def _flatten(value, prefix=''):
    if isinstance(value, dict):
        parts = [_flatten(item, f'{prefix}/{key}') for key, item in value.items()]
        return {key: leaf for part in parts for key, leaf in part.items()}
    return {prefix: value}


def test_official_numbers(golden):
    arguments = golden['submission'], golden['ground_truth']
    assert evaluate_moment_retrieval(*arguments) == golden['result_rounded']
    exact = _flatten(evaluate_moment_retrieval(*arguments, rounded=False))
    expected = _flatten(golden['result_unrounded'])
    assert list(exact) == list(expected)
    assert exact == pytest.approx(expected, abs=1e-9)


def _iou(a, b):
    inter = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    union = (a[1] - a[0]) + (b[1] - b[0]) - inter
    return inter / union if union else 0.0


def test_recall_at_5_takes_the_best_pair():
    draw = random.Random(1)
    predictions, annotations = [], []
    for qid in range(40):
        starts = [draw.uniform(0, 40) for _ in range(draw.randint(1, 9))]
        windows = [[s, s + draw.uniform(0, 20), draw.random()] for s in starts]
        truth = [[s, s + draw.uniform(1, 15)] for s in (draw.uniform(0, 40), draw.uniform(0, 40))]
        predictions.append({'qid': qid, 'pred_relevant_windows': windows})
        annotations.append({'qid': qid, 'relevant_windows': truth[: 1 + qid % 2]})
    brief = evaluate_moment_retrieval(predictions, annotations, recall5=True)['brief']
    for threshold in (0.3, 0.5, 0.7):
        hits = sum(
            any(
                _iou(window, target) >= threshold
                for window in prediction['pred_relevant_windows'][:5]
                for target in annotation['relevant_windows']
            )
            for prediction, annotation in zip(predictions, annotations)
        )
        assert brief[f'MR-full-R5@{threshold}'] == pytest.approx(100 * hits / 40, abs=0.005)
        assert brief[f'MR-full-R5@{threshold}'] >= brief[f'MR-full-R1@{threshold}']


def test_a_bounded_full_range_drops_long_windows(golden):
    arguments = golden['submission'], golden['ground_truth']
    bounded = evaluate_moment_retrieval(*arguments, ranges={'full': (0, 150)})
    lengths = [end - start for ((start, end),) in (r['relevant_windows'] for r in arguments[1])]
    short = [record for record, length in zip(arguments[1], lengths) if length <= 150]
    assert 0 < len(short) < 60
    expected = evaluate_moment_retrieval(golden['submission'], short, subset_ok=True)
    assert bounded['full'] == expected['full']


def test_unlabelled_data_are_refused():
    with pytest.raises(DataError, match='labelled'):
        evaluate_moment_retrieval([{'qid': 1, 'pred_relevant_windows': [[0, 1, 1]]}], [{'qid': 1}])
