# SPDX-License-Identifier: Apache-2.0
# Charades-STA with SlowFast (2304), CLIP (512) and BLIP-2 (768) video, one row per second, and CLIP
# (512) and BLIP-2 (768) text tokens, as released with VideoLights: both token sequences are paired
# by position and cut to the shorter. docs/data.md says where the files go. There is no validation
# split: published runs choose their epoch on the test split, and so does `val_dataloader` here.
_base_ = './loaders.py'

_data = dict(
    type='GroundingDataset',
    annotations_from='https://github.com/wjun0830/CGDETR/tree/main/data',
    video=[
        dict(
            type='FolderStore',
            folder='data/charades_sta/slowfast_features',
            pattern='{vid}',
            dim=2304,
            features_from='https://github.com/dpaul06/VideoLights',
        ),
        dict(
            type='FolderStore',
            folder='data/charades_sta/clip_features',
            pattern='{vid}',
            dim=512,
            features_from='https://github.com/dpaul06/VideoLights',
        ),
        dict(
            type='FolderStore',
            folder='data/charades_sta/blip_video_features',
            pattern='{vid}',
            dim=768,
            features_from='https://github.com/dpaul06/VideoLights',
        ),
    ],
    text=[
        dict(
            type='FolderStore',
            folder='data/charades_sta/clip_text_features',
            pattern='qid{qid}',
            dim=512,
            features_from='https://github.com/dpaul06/VideoLights',
        ),
        dict(
            type='FolderStore',
            folder='data/charades_sta/blip_text_features',
            pattern='qid{qid}',
            dim=768,
            features_from='https://github.com/dpaul06/VideoLights',
        ),
    ],
    saliency=dict(type='SingleWindow', clip_from='duration'),
    clip_length=1.0,
    max_video_clips=75,
    max_text_tokens=32,
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
