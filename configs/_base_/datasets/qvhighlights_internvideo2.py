# SPDX-License-Identifier: Apache-2.0
# QVHighlights with the InternVideo2-1B features of SG-DETR: 512 wide video (one row per 2 s) and
# text tokens. docs/data.md says where the files go. PackedStore takes the place of FolderStore
# after tools/pack_features.py.
_base_ = './loaders.py'

_features = dict(
    annotations_from='https://github.com/jayleicn/moment_detr/tree/main/data',
    video=[
        dict(
            type='FolderStore',
            folder='data/qvhighlights/internvideo2_video',
            pattern='{vid}',
            dim=512,
            features_from='https://github.com/ai-forever/sg-detr',
        )
    ],
    text=[
        dict(
            type='FolderStore',
            folder='data/qvhighlights/internvideo2_text',
            pattern='{qid}',
            dim=512,
            features_from='https://github.com/ai-forever/sg-detr',
        )
    ],
    max_text_tokens=40,
    max_windows=10,
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
