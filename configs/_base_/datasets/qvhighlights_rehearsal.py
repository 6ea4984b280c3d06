# SPDX-License-Identifier: Apache-2.0
# A rehearsal of QVHighlights: the real annotation files with simulated features of the widths of
# InternVideo2, so that a full-size run can be tried before the real features are downloaded.
_base_ = './loaders.py'

_features = dict(
    annotations_from='https://github.com/jayleicn/moment_detr/tree/main/data',
    video=[dict(type='SimulatedVideo', dim=512, difficulty=0.5)],
    text=[dict(type='SimulatedText', dim=512)],
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
benchmark = 'QVHighlights with simulated features'
val_evaluator = dict(type='QVHighlightsMetric')
test_evaluator = dict(type='QVHighlightsMetric')
del _features
