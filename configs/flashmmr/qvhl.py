# SPDX-License-Identifier: Apache-2.0
"""FlashMMR on QVHighlights alone: the data of QV-M2 before its further queries."""

_base_ = './qvm2.py'

benchmark = dict(
    name='QVHighlights',
    splits=dict(
        train=dict(ann_file='data/qvhighlights/highlight_train_release.jsonl'),
        val=dict(ann_file='data/qvhighlights/highlight_val_release.jsonl'),
        test=dict(ann_file='data/qvhighlights/highlight_test_with_gt.jsonl'),
    ),
    evaluator=dict(_delete_=True, type='QVHighlightsMetric'),
)
