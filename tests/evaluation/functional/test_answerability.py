# SPDX-License-Identifier: Apache-2.0
"""Queries without a moment: official values, an independent calculation, what is refused."""

import random

import numpy as np
import pytest

from vtg.evaluation.functional import (
    RecordError,
    answered_queries,
    evaluate_generalized,
    evaluate_unanswerable,
)
from vtg.evaluation.functional.matching import area_under_roc
from vtg.utils import read_json, read_jsonl


@pytest.mark.parametrize('kind', ['official', 'official_without_exist_score'])
def test_the_official_evaluator_is_reproduced_to_the_digit(shared, kind):
    folder = shared / 'data' / 'more'
    predictions = read_jsonl(folder / 'moment_detr_gmr_test_preds_A.jsonl.gz')
    truth = read_jsonl(folder / 'soccer_gmr_standard_test_A.jsonl.gz')
    if kind != 'official':
        for record in predictions:
            del record['pred_exist_score']
    stored = read_json(folder / 'moment_detr_gmr_test_preds_A_metrics.json')[kind]
    ours = evaluate_generalized(predictions, truth)
    assert {key: ours['brief'][key] for key in stored['brief']} == stored['brief']
    assert ours['brief']['Rej-F1'] == stored['brief']['Rej-F1@0.4']
    assert ours['decisions'] == stored['GMR-CLS']['per_threshold']
    for name in ('mAP', 'mR', 'mR+'):
        for key, by_iou in stored[f'{name}_detail'].items():
            if isinstance(by_iou, dict):
                assert ours[key] == by_iou


def iou(a, b):
    inter = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    hull = max(a[1], b[1]) - min(a[0], b[0])
    return inter / hull if inter else 0.0


def records(count=60, seed=3):
    rng = random.Random(seed)

    def windows(n):
        starts = [rng.uniform(0, 40) for _ in range(n)]
        return [[s, s + rng.uniform(1, 20), rng.random()] for s in starts]

    truth = [
        {'qid': q, 'duration': 60.0,
         'relevant_windows': [w[:2] for w in windows(rng.choice((0, 1, 2)))]}
        for q in range(count)
    ]  # fmt: skip
    found = [
        {'qid': q, 'pred_relevant_windows': windows(rng.choice((0, 1, 4))),
         'pred_exist_score': rng.choice((0.1, 0.5, 0.9))} for q in range(count)
    ]  # fmt: skip
    return found, truth


def test_unanswerable_by_hand():
    found, truth = records()
    for options, answers, hit in (
        ({}, lambda s: s > 0.5, lambda v, t: v >= t),
        ({'strict': True, 'inclusive': True, 'threshold': 0.5}, lambda s: s >= 0.5,
         lambda v, t: v > t),
    ):  # fmt: skip
        brief = evaluate_unanswerable(found, truth, rounded=False, **options)['brief']
        values, right, positives = [], [], []
        for p, a in zip(found, truth):
            null, answered = not a['relevant_windows'], answers(p['pred_exist_score'])
            best = max((iou(p['pred_relevant_windows'][0], g) for g in a['relevant_windows']),
                       default=0.0) if p['pred_relevant_windows'] else 0.0  # fmt: skip
            values.append(float(not answered) if null else best if answered else 0.0)
            right.append(answered != null)
            if not null:
                positives.append(best if answered else 0.0)
        assert brief['Acc'] == pytest.approx(100 * np.mean(right))
        assert brief['mIoU'] == pytest.approx(100 * np.mean(values))
        for t in (0.3, 0.5, 0.7):
            assert brief[f'R1@{t}'] == pytest.approx(100 * np.mean([hit(v, t) for v in values]))
            expected = 100 * np.mean([hit(v, t) for v in positives])
            assert brief[f'Pos-R1@{t}'] == pytest.approx(expected)
        scores: dict[bool, list[float]] = {True: [], False: []}
        for p, a in zip(found, truth):
            scores[bool(a['relevant_windows'])].append(p['pred_exist_score'])
        wins = [(s > n) + (s == n) / 2 for s in scores[True] for n in scores[False]]
        assert brief['AUROC'] == pytest.approx(100 * np.mean(wins))


def test_who_decides():
    window = [[0, 1, 0.3]]
    cases = [
        {'qid': 0, 'pred_relevant_windows': window, 'pred_exist_score': 0.9,
         'pred_answered': False},
        {'qid': 1, 'pred_relevant_windows': window, 'pred_exist_score': 0.4},
        {'qid': 2, 'pred_relevant_windows': window},
        {'qid': 3, 'pred_relevant_windows': []},
    ]  # fmt: skip
    assert answered_queries(cases).tolist() == [False, False, True, False]
    assert answered_queries(cases, 0.3).tolist() == [True, True, False, False]
    assert answered_queries(cases, 0.3, inclusive=True).tolist() == [True, True, True, False]
    with pytest.raises(RecordError, match='true or false'):
        answered_queries([{'qid': 0, 'pred_answered': 1}])
    with pytest.raises(RecordError, match='pred_exist_score'):
        answered_queries([{'qid': 0, 'pred_exist_score': float('nan')}])


def test_the_last_record_of_an_id_counts_as_in_causalvtg():
    truth = [
        {'qid': q, 'text_key': q // 2, 'relevant_windows': [[0, 10]] if q % 2 else []}
        for q in range(4)
    ]
    nothing = [{'qid': q, 'pred_relevant_windows': []} for q in range(4)]
    assert evaluate_unanswerable(nothing, truth)['brief']['R1@0.5'] == 50
    found = evaluate_unanswerable(nothing, truth, compat='causalvtg')
    assert found['brief']['R1@0.5'] == 0 and found['brief']['Acc'] == 50
    assert found['counts']['in R1 and mIoU'] == 2


def test_a_moment_out_of_reach_is_no_query_without_a_moment():
    truth = [{'qid': 0, 'duration': 10, 'relevant_windows': [[10, 10]], 'unreachable': 'outside'}]
    found = [{'qid': 0, 'pred_relevant_windows': [[0, 10, 1.0]]}]
    assert evaluate_generalized(found, truth)['stats']['with a moment'] == 1
    truth[0].pop('unreachable')
    assert evaluate_generalized(found, truth)['stats']['with a moment'] == 0


def test_the_area_without_one_of_the_classes():
    assert area_under_roc(np.array([0.1, 0.2]), np.array([True, True])) == 0.5
