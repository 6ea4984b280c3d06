# SPDX-License-Identifier: Apache-2.0
# Charades-STA with VGG features (4096), one row per 1/6 s, and the words of the query in GloVe
# (300), neither normalised nor cut. Published runs look words up with the full stop of the sentence
# glued to them, see `literal` of GloveStore. docs/data.md says where the files go. There is no
# validation split: published runs choose their epoch on the test split, and so does
# `val_dataloader` here.
_base_ = './loaders.py'

_data = dict(
    type='GroundingDataset',
    annotations_from='https://github.com/wjun0830/CGDETR/tree/main/data',
    video=[
        dict(
            type='FolderStore',
            folder='data/charades_sta/vgg_features/rgb_features',
            pattern='{vid}',
            dim=4096,
            features_from='https://github.com/TencentARC/UMT',
        ),
    ],
    text=[
        dict(type='GloveStore', file='data/glove/glove.6B.300d.txt', dim=300),
    ],
    saliency=dict(type='SingleWindow', clip_from='duration'),
    clip_length=1 / 6,
    normalize_text=False,
    length_tolerance=30,
)
train_dataloader = dict(
    batch_size=16,
    dataset=dict(ann_file='data/charades_sta/charades_sta_train_tvr_format.jsonl', **_data),
)
val_dataloader = dict(
    batch_size=16,
    dataset=dict(
        ann_file='data/charades_sta/charades_sta_test_tvr_format.jsonl',
        test_mode=True,
        **_data,
    ),
)
test_dataloader = dict(
    batch_size=16,
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
