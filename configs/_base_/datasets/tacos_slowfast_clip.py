# SPDX-License-Identifier: Apache-2.0
# TACoS with SlowFast (2304) and CLIP ViT-B/32 (512) video, one row per 2 s, and CLIP text tokens
# (512), as released with CG-DETR. docs/data.md says where the files go. Published runs choose their
# epoch on the test split; here the validation split is used, see docs/data.md.
_base_ = './loaders.py'

_data = dict(
    type='GroundingDataset',
    annotations_from='https://github.com/wjun0830/CGDETR/tree/main/data',
    video=[
        dict(
            type='FolderStore',
            folder='data/tacos/slowfast_features',
            pattern='{vid}',
            dim=2304,
            features_from='https://github.com/wjun0830/CGDETR',
        ),
        dict(
            type='FolderStore',
            folder='data/tacos/clip_features',
            pattern='{vid}',
            dim=512,
            features_from='https://github.com/wjun0830/CGDETR',
        ),
    ],
    text=[
        dict(
            type='FolderStore',
            folder='data/tacos/clip_text_features',
            pattern='{qid}',
            dim=512,
            features_from='https://github.com/wjun0830/CGDETR',
        ),
    ],
    saliency=dict(type='SingleWindow', clip_from='duration'),
    clip_length=2.0,
    length_tolerance=5,
)
train_dataloader = dict(
    dataset=dict(ann_file='data/tacos/train.jsonl', **_data),
)
val_dataloader = dict(
    dataset=dict(
        ann_file='data/tacos/val.jsonl',
        test_mode=True,
        **_data,
    ),
)
test_dataloader = dict(
    dataset=dict(
        ann_file='data/tacos/test.jsonl',
        test_mode=True,
        **_data,
    ),
)
# Names the data in reports; published numbers are looked up under it.
benchmark = 'TACoS'
# `save_best='selection'` takes the mean of both, as CG-DETR and FlashVTG do.
_metric = dict(
    type='MomentRetrievalMetric', selection={'MR-full-R1@0.5': 1.0, 'MR-full-R1@0.7': 1.0}
)
val_evaluator = _metric
test_evaluator = _metric
del _data, _metric
