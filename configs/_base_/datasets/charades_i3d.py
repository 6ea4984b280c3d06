# SPDX-License-Identifier: Apache-2.0
# Charades-STA with I3D features (1024), one row per second, and the words of the query in GloVe
# (300), neither normalised nor cut. QD-DETR and TaskWeave print numbers for I3D but released
# neither features nor a loader; set clip_length to the rate of yours. docs/data.md says where the
# files go. There is no validation split: published runs choose their epoch on the test split, and
# so does `val_dataloader` here.
_base_ = './loaders.py'

_data = dict(
    type='GroundingDataset',
    annotations_from='https://github.com/wjun0830/CGDETR/tree/main/data',
    video=[
        dict(
            type='FolderStore',
            folder='data/charades_sta/i3d_features',
            pattern='{vid}',
            dim=1024,
            features_from='https://github.com/EdenGabriel/TaskWeave',
        ),
    ],
    text=[
        dict(type='GloveStore', file='data/glove/glove.6B.300d.txt', dim=300),
    ],
    saliency=dict(type='SingleWindow', clip_from='duration'),
    clip_length=1.0,
    normalize_text=False,
    length_tolerance=3,
)
train_dataloader = dict(
    dataset=dict(ann_file='data/charades_sta/charades_sta_train_tvr_format.jsonl', **_data),
)
val_dataloader = dict(
    dataset=dict(
        ann_file='data/charades_sta/charades_sta_test_tvr_format.jsonl',
        test_mode=True,
        **_data,
    ),
)
test_dataloader = dict(
    dataset=dict(
        ann_file='data/charades_sta/charades_sta_test_tvr_format.jsonl',
        test_mode=True,
        **_data,
    ),
)
# Names the data in reports; published numbers are looked up under it.
benchmark = 'Charades-STA'
# `save_best='selection'` takes the mean of both, as CG-DETR and FlashVTG do.
_metric = dict(
    type='MomentRetrievalMetric', selection={'MR-full-R1@0.5': 1.0, 'MR-full-R1@0.7': 1.0}
)
val_evaluator = _metric
test_evaluator = _metric
del _data, _metric
