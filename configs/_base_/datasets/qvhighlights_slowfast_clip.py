# SPDX-License-Identifier: Apache-2.0
# QVHighlights with the features of Moment-DETR: SlowFast (2304) and CLIP ViT-B/32 (512) video, one
# row per 2 s, and CLIP text tokens (512). The order of the backbones is that of the published
# checkpoints. docs/data.md says where the files go.
_base_ = './loaders.py'

_features = dict(
    annotations_from='https://github.com/jayleicn/moment_detr/tree/main/data',
    video=[
        dict(
            type='FolderStore',
            folder='data/qvhighlights/slowfast_features',
            pattern='{vid}',
            dim=2304,
            features_from='https://github.com/jayleicn/moment_detr',
        ),
        dict(
            type='FolderStore',
            folder='data/qvhighlights/clip_features',
            pattern='{vid}',
            dim=512,
            features_from='https://github.com/jayleicn/moment_detr',
        ),
    ],
    text=[
        dict(
            type='FolderStore',
            folder='data/qvhighlights/clip_text_features',
            pattern='qid{qid}',
            dim=512,
            features_from='https://github.com/jayleicn/moment_detr',
        )
    ],
    max_text_tokens=32,
    max_windows=5,
)
train_dataloader = dict(
    dataset=dict(
        type='QVHighlights',
        ann_file='data/qvhighlights/highlight_train_release.jsonl',
        **_features,
    ),
)
val_dataloader = dict(
    dataset=dict(
        type='QVHighlights',
        ann_file='data/qvhighlights/highlight_val_release.jsonl',
        test_mode=True,
        **_features,
    ),
)
test_dataloader = dict(
    dataset=dict(
        type='QVHighlights',
        ann_file='data/qvhighlights/highlight_test_with_gt.jsonl',
        test_mode=True,
        **_features,
    ),
)
# Names the data in reports; published numbers are looked up under it.
benchmark = 'QVHighlights'
val_evaluator = dict(type='QVHighlightsMetric')
test_evaluator = dict(type='QVHighlightsMetric')
del _features
