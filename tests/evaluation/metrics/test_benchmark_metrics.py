# SPDX-License-Identifier: Apache-2.0
"""The metrics of single-task data: keys, predictions kept, options, the number to select by."""

import math

import pytest

from vtg.evaluation.metrics import HighlightMetric, MomentRetrievalMetric, QVHighlightsMetric
from vtg.registry import METRICS
from vtg.utils import ConfigError, read_jsonl

WINDOWS = [[0, 4, 0.9], [4, 10, 0.5]]


def run(metric, predictions, annotations):
    metric.add(predictions, annotations)
    return metric.evaluate(len(predictions))


def moments():
    predictions = [
        {
            'qid': qid,
            'query': 'q',
            'vid': 'v',
            'pred_relevant_windows': WINDOWS,
            'pred_saliency_scores': [0.0],
            'alternatives': {'other': WINDOWS[::-1]},
        }
        for qid in range(2)
    ]
    return predictions, [
        {'qid': qid, 'duration': 10, 'relevant_windows': [[0, 5 + qid]]} for qid in range(2)
    ]


def test_moment_retrieval(tmp_path):
    weights = {'MR-full-R1@0.5': 1.0, 'MR-full-R1@0.7': 3.0}
    out = tmp_path / 'predictions.jsonl'
    cfg = dict(type='MomentRetrievalMetric', recall5=True, selection=weights, out_file=str(out))
    metric = METRICS.build(cfg)
    got = run(metric, *moments())
    assert got['moments/MR-full-R1@0.5'] == 100 and got['moments/MR-full-R1@0.7'] == 50
    assert got['moments/selection'] == (100 + 3 * 50) / 4
    assert got['moments/MR-full-mIoU'] == pytest.approx(100 * (4 / 5 + 4 / 6) / 2)
    assert got['moments/MR-full-R5@0.3'] == 100 and got['moments/MR-full-R1@0.5-other'] == 0
    assert not any(key.startswith('moments/HL') for key in got)
    assert all('pred_saliency_scores' not in record for record in read_jsonl(out))
    assert metric.predictions == read_jsonl(out) and 'main' in metric.details


def test_selection_names_are_checked():
    with pytest.raises(ConfigError, match='selection of Moment'):
        run(MomentRetrievalMetric(selection={'MR-full-R1@0.55': 1.0}), *moments())
    with pytest.raises(ConfigError, match='full'):
        MomentRetrievalMetric(ranges={'long': (30, 150)})


def test_selection_with_metrics_that_have_no_value():
    """No moment is long: the official evaluators count 0 there, and so the ranking stays."""
    weights = {'MR-full-R1@0.3': 1, 'MR-long-mAP': 1}
    got = run(MomentRetrievalMetric(selection=weights), *moments())
    assert math.isnan(got['moments/MR-long-mAP'])
    assert got['moments/selection'] == got['moments/MR-full-R1@0.3'] / 2
    got = run(MomentRetrievalMetric(selection={'MR-long-mAP': 1}), *moments())
    assert math.isnan(got['moments/selection'])


def test_selection_of_qvhighlights_is_that_of_the_main_list():
    got = run(QVHighlightsMetric(selection={'MR-full-mAP': 2.0}), *moments())
    assert got['qvhighlights/selection'] == got['qvhighlights/MR-full-mAP']
    assert 'qvhighlights/selection-other' not in got


def ratings():
    scores = {'a': [3.0, 2.0, 1.0], 'b': [1.0, 2.0, 3.0], 'c': [0.5]}
    labels = {'a': [[1], [0], [0]], 'b': [[1], [0], [0]], 'c': [[0], [1]]}
    domains = {'a': 'dog', 'b': 'dog', 'c': 'surfing'}
    predictions = [
        {
            'qid': qid,
            'query': 'q',
            'vid': qid,
            'pred_saliency_scores': values,
            'pred_relevant_windows': WINDOWS,
        }
        for qid, values in scores.items()
    ]
    return predictions, [
        {'qid': q, 'label': labels[q], 'domain': domains[q], 'relevant_windows': None}
        for q in scores
    ]


def test_highlights_average_over_domains():
    metric = HighlightMetric(mode='full')
    got = run(metric, *ratings())
    third = 100 * (1 / 3) / 2
    assert got == {'highlights/HL-mAP': pytest.approx((100 + third) / 2 / 2)}
    details = metric.details['main']
    assert details['domains'] == {'dog': pytest.approx((100 + third) / 2), 'surfing': 0}
    assert details['without_positives'] == 1
    assert all('pred_relevant_windows' not in record for record in metric.predictions)
    digits = run(HighlightMetric(mode='full', digits=1), *ratings())
    assert digits['highlights/HL-mAP'] == round((100 + third) / 4, 1)


def test_videos_without_positives_can_be_left_out():
    metric = HighlightMetric(mode='full', without_positives='skip')
    predictions, annotations = ratings()
    for record in annotations:
        record['domain'] = 'one'
    got = run(metric, predictions, annotations)
    assert got['highlights/HL-mAP'] == pytest.approx((100 + 100 / 6) / 2)


def test_highlights_without_ratings_are_kept():
    predictions, annotations = ratings()
    metric = HighlightMetric()
    assert run(metric, predictions, [{'qid': r['qid']} for r in annotations]) == {}
    assert len(metric.predictions) == 3


def test_unknown_options_are_refused():
    with pytest.raises(ConfigError, match='top5'):
        HighlightMetric(mode='top10')
