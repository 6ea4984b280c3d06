# SPDX-License-Identifier: Apache-2.0
"""The metrics of the further benchmarks as components: names, declared numbers, baselines."""

import logging

import pytest
from mmengine.logging import MMLogger

from vtg.evaluation.metrics import RecordMetric, gather
from vtg.registry import METRICS, registered_names

WINDOWS = [[0, 4, 0.9], [4, 10, 0.5]]


def data():
    found = [
        {'qid': q, 'query': 'q', 'vid': 'v', 'pred_relevant_windows': WINDOWS if q else [],
         'pred_exist_score': 0.45, 'alternatives': {}} for q in range(3)
    ]  # fmt: skip
    truth = [
        {'qid': q, 'duration': 10, 'relevant_windows': [[0, 5], [4, 10]][:q], 'num_segments': 6,
         'times': [[0, 0], [0, 1]]} for q in range(3)
    ]  # fmt: skip
    return found, truth


NEW = ['MultiMomentMetric', 'GeneralizedRetrievalMetric', 'UnanswerableMetric', 'RecallMetric']
NEW += ['DiDeMoMetric']


@pytest.mark.parametrize('name', NEW)
def test_every_number_is_declared_and_named(name):
    metric = METRICS.build(dict(type=name, digits=2))
    metric.add(*data())
    values = metric.evaluate(3)
    declared = [quantity.name for quantity in metric.quantities]
    assert set(metric.table['main']) <= set(declared)
    assert any(q.headline and q.name in metric.table['main'] for q in metric.quantities)
    assert set(values) == {f'{metric.prefix}/{key}' for key in metric.table['main']}
    gathered = gather([metric], values)
    assert set(gathered.table['main']) == set(values)
    assert metric.predictions[0]['pred_relevant_windows'] == []


def test_rejecting_everything_is_reported_beside(caplog):
    metric = METRICS.build(dict(type='GeneralizedRetrievalMetric'))
    metric.add(*data())
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    with caplog.at_level(logging.INFO):
        values = metric.evaluate(3)
    logger.removeHandler(caplog.handler)
    # No query is rejected at 0.4; the one without a moment has no windows.
    assert values['GMR/Rej-F1'] == 0 and values['GMR/G-mIoU@1'] > 0
    baseline = metric.baselines['reject every query']
    assert baseline['Rej-F1'] == pytest.approx(50) and baseline['G-mIoU@1'] == pytest.approx(
        100 / 3
    )
    assert 'to reject every query scores AUROC 50.00, Rej-F1 50.00' in caplog.text
    shown = gather([metric], values).baselines['reject every query']
    assert shown['GMR/Rej-F1'] == baseline['Rej-F1']


def test_several_metrics_of_an_evaluator_share_one_table():
    metrics = [METRICS.build(dict(type=t)) for t in ('MomentRetrievalMetric', *NEW[:2])]
    values = {}
    found, truth = data()
    for metric in metrics:
        metric.add([{**r, 'pred_relevant_windows': WINDOWS} for r in found], truth)
        values |= metric.evaluate(3)
    table = gather(metrics, {**values, 'own/thing': 3.0}).table['main']
    assert {'MR-full-mAP', 'QVM2/mR@1', 'GMR/mR@1', 'thing'} <= set(table)
    # Names that two evaluators give are told apart too.
    both = [METRICS.build(dict(type='MomentRetrievalMetric', prefix=p)) for p in ('a', 'b')]
    for metric in both:
        metric.add([{**r, 'pred_relevant_windows': WINDOWS} for r in found], truth)
        metric.evaluate(3)
    assert {'a/MR-full-mAP', 'b/MR-full-mAP'} <= set(gather(both, {}).table['main'])


def test_every_metric_says_which_benchmarks_it_serves():
    names = [METRICS.get(name) for name in registered_names(METRICS)]
    own = {cls for cls in names if isinstance(cls, type) and issubclass(cls, RecordMetric)}
    served = [name for cls in own for name in cls.benchmarks]
    assert len(served) == len(set(served)) and {'qvhighlights', 'nlq', 'gmr'} <= set(served)
    for cls in own:
        for options in cls.benchmarks.values():
            assert cls(**options).quantities
