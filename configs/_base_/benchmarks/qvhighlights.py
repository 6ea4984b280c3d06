# SPDX-License-Identifier: Apache-2.0
# QVHighlights without features; the files beside this one add them. docs/data.md says where the
# files go. PackedStore takes the place of FolderStore after tools/pack_features.py.
_base_ = './loaders.py'

benchmark = dict(
    name='QVHighlights',
    dataset=dict(
        type='QVHighlights',
        windows='repair',
        annotations_from='https://github.com/jayleicn/moment_detr/tree/main/data',
    ),
    splits=dict(
        train=dict(ann_file='data/qvhighlights/highlight_train_release.jsonl'),
        val=dict(ann_file='data/qvhighlights/highlight_val_release.jsonl'),
        test=dict(ann_file='data/qvhighlights/highlight_test_with_gt.jsonl'),
    ),
    evaluator=dict(type='QVHighlightsMetric'),
    clip_length=2.0,
    duration_limit=150.0,
)
