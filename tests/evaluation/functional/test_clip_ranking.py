# SPDX-License-Identifier: Apache-2.0
"""Ranking of clips against the reference values of TVSum and YouTube Highlights and by hand."""

import json

import numpy as np
import pytest

from vtg.evaluation.functional import (
    above_median,
    evaluate_clip_ranking,
    trapezoid_average_precision,
)
from vtg.utils import DataError


def _load(shared, name):
    info = json.loads((shared / 'golden' / f'{name}.json').read_text())['result']
    arrays = np.load(shared / 'golden' / f'{name}.npz')
    predictions, annotations = [], []
    for vid, facts in info['videos'].items():
        scores = arrays[f'in/pred/{vid}'].astype(float).tolist()
        predictions.append({'qid': vid, 'pred_saliency_scores': scores})
        label = arrays[f'in/label/{vid}'].astype(float).tolist()
        annotations.append({'qid': vid, 'label': label, 'domain': facts['domain']})
    return info, arrays, predictions, annotations


def test_tvsum(shared):
    info, arrays, predictions, annotations = _load(shared, 'tvsum_metric')
    result = evaluate_clip_ranking(predictions, annotations, top=5, highlight='median')
    assert len(result['videos']) == 50
    for vid, facts in info['videos'].items():
        assert result['videos'][vid] == pytest.approx(100 * facts['mAP'], abs=1e-9)
        assert result['videos'][vid] / 100 == pytest.approx(arrays[f'out/ap/{vid}'].mean())
    val = [i for i, facts in enumerate(info['videos'].values()) if facts['split'] == 'val']
    picked = [[records[i] for i in val] for records in (predictions, annotations)]
    domains = evaluate_clip_ranking(*picked, top=5, highlight='median')['domains']
    assert len(domains) == 10
    for name, facts in info['domains'].items():
        assert round(domains[name] / 100, 5) == facts['val_mAP_reported']
        assert round(result['domains'][name] / 100, 5) == facts['all5_mAP_reported']


@pytest.mark.parametrize('treatment', ['zero', 'skip'])
def test_youtube(shared, treatment):
    info, arrays, predictions, annotations = _load(shared, 'youtube_metric')
    result = evaluate_clip_ranking(predictions, annotations, without_positives=treatment)
    areas = [result['videos'][vid] / 100 for vid in info['videos']]
    np.testing.assert_allclose(areas, arrays['out/ap'], atol=1e-12)
    key = {'zero': 'mAP_reported', 'skip': 'mAP_dropping_empty_reported'}[treatment]
    assert any(facts['mAP'] != facts['mAP_dropping_empty'] for facts in info['domains'].values())
    for name, facts in info['domains'].items():
        assert round(result['domains'][name] / 100, 5) == facts[key]
    assert result['HL-mAP'] == pytest.approx(np.mean(list(result['domains'].values())))


def test_area_by_hand():
    scores, labels = np.array([[0.9, 0.1, 0.5]]), np.array([[[True], [True], [False]]])
    area, positives = trapezoid_average_precision(scores, np.ones((1, 3), bool), labels)
    # ranks: hit, miss, hit; precision 1, 1/2, 2/3; recall 1/2, 1/2, 1
    assert positives.item() == 2
    assert area.item() == pytest.approx(0.5 * (1 + 1) / 2 + 0.5 * (1 / 2 + 2 / 3) / 2)
    area, positives = trapezoid_average_precision(scores, np.ones((1, 3), bool), labels, top=1)
    assert (area.item(), positives.item()) == (1.0, 1)


def test_a_constant_rater_has_no_highlight():
    ratings = np.array([[[3.0, 1.0], [3.0, 2.0], [0.0, 0.0]]])
    highlights = above_median(ratings, np.array([[True, True, False]]))
    assert highlights[0].tolist() == [[False, False], [False, True], [False, False]]


def test_results_do_not_depend_on_neighbours():
    rng = np.random.default_rng(0)
    predictions, annotations = [], []
    for qid, length in enumerate((4, 9, 6)):
        predictions.append({'qid': qid, 'pred_saliency_scores': rng.normal(size=length).tolist()})
        annotations.append({'qid': qid, 'label': rng.integers(0, 2, (length, 1)).tolist()})
    together = evaluate_clip_ranking(predictions, annotations)['videos']
    for prediction, annotation in zip(predictions, annotations):
        alone = evaluate_clip_ranking([prediction], [annotation])['videos']
        assert alone[prediction['qid']] == pytest.approx(together[prediction['qid']], abs=1e-12)


def test_a_domain_without_highlights_has_no_value():
    def record(qid, rating):
        return {'qid': qid, 'domain': str(qid), 'label': [[rating], [0]]}

    predictions = [{'qid': qid, 'pred_saliency_scores': [1.0, 0.0]} for qid in range(2)]
    annotations = [record(0, 1), record(1, 0)]
    result = evaluate_clip_ranking(predictions, annotations, without_positives='skip')
    assert result['domains']['0'] == result['HL-mAP'] == 100
    assert np.isnan(result['domains']['1'])
    none = evaluate_clip_ranking(predictions[1:], annotations[1:], without_positives='skip')
    assert np.isnan(none['HL-mAP'])
    zero = evaluate_clip_ranking(predictions, annotations)
    assert zero['domains']['1'] == 0 and zero['HL-mAP'] == 50


def test_missing_fields_are_named():
    with pytest.raises(DataError, match='qid 3: `label`'):
        evaluate_clip_ranking([{'qid': 3, 'pred_saliency_scores': [1]}], [{'qid': 3}])
    with pytest.raises(DataError, match='qid 3: `pred_saliency_scores`'):
        evaluate_clip_ranking([{'qid': 3}], [{'qid': 3, 'label': [[1]]}])


@pytest.mark.parametrize('rule', ['zero', 'skip'])
def test_what_is_not_answered_counts_as_wrong(rule):
    truth = [{'qid': q, 'label': [[1], [0], [1]]} for q in range(2)]
    found = [{'qid': 0, 'pred_saliency_scores': [0.9, 0.1, 0.5]},
             {'qid': 1, 'pred_saliency_scores': [], 'unanswered': True}]  # fmt: skip
    result = evaluate_clip_ranking(found, truth, without_positives=rule)
    assert result['HL-mAP'] == pytest.approx(50)
    with pytest.raises(DataError, match='one number per clip'):
        evaluate_clip_ranking([found[0], {'qid': 1, 'pred_saliency_scores': []}], truth)
