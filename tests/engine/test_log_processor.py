# SPDX-License-Identifier: Apache-2.0
"""Log lines are shortened, nothing else is."""

from types import SimpleNamespace

from mmengine.runner import LogProcessor

from vtg.engine.log_processor import BriefLogProcessor
from vtg.evaluation.metrics import GeneralizedRetrievalMetric, QVHighlightsMetric


def test_layers_and_further_lists_are_left_out(monkeypatch):
    line = 'Epoch(train) [2][3/4]  lr: 1.0e-03  loss: 3.0  loss_span: 1.0  loss_span_0: 1.1'
    tags = {'loss': 3.0, 'loss_span_0': 1.1}
    monkeypatch.setattr(LogProcessor, 'get_log_after_iter', lambda *a: (tags, line))
    tag, text = BriefLogProcessor().get_log_after_iter(None, 0, 'train')
    assert tag == tags
    assert text == line.replace('  loss_span_0: 1.1', '')

    line = 'Epoch(val) [5][8/8]    q/MR-full-mAP: 30.0  q/MR-full-mAP-detr: 14.5  time: 0.1'
    monkeypatch.setattr(LogProcessor, 'get_log_after_epoch', lambda *a: ({}, line))
    metrics = [QVHighlightsMetric(prefix='q')]
    runner = SimpleNamespace(val_loop=SimpleNamespace(evaluator=SimpleNamespace(metrics=metrics)))
    _, text = BriefLogProcessor().get_log_after_epoch(runner, 8, 'val')
    assert text == 'Epoch(val) [5][8/8]    q/MR-full-mAP: 30.0  time: 0.1'
    # Of further metrics what they declare, of those that declare nothing all.
    further = '  GMR/Rej-F1: 1.0  GMR/Rej-F1@0.6: 1.0  GMR/mR+@5: 2.0  own/thing+: 3.0'
    monkeypatch.setattr(LogProcessor, 'get_log_after_epoch', lambda *a: ({}, line + further))
    metrics += [GeneralizedRetrievalMetric(), SimpleNamespace(prefix='own')]
    _, text = BriefLogProcessor().get_log_after_epoch(runner, 8, 'val')
    assert text.endswith('q/MR-full-mAP: 30.0  time: 0.1  GMR/Rej-F1: 1.0  own/thing+: 3.0')
    monkeypatch.setattr(LogProcessor, 'get_log_after_epoch', lambda *a: ({}, line))
    _, text = BriefLogProcessor(show=['MR-full-mAP-detr']).get_log_after_epoch(None, 8, 'val')
    assert text == 'Epoch(val) [5][8/8]    q/MR-full-mAP-detr: 14.5  time: 0.1'
