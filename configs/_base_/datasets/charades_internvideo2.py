# SPDX-License-Identifier: Apache-2.0
# Charades-STA with the InternVideo2-1B features of SG-DETR: 512 wide video, one row per second, and
# text tokens (512). A clip is relevant where more than half of it lies in a window. docs/data.md
# says where the files go. There is no validation split: published runs choose their epoch on the
# test split, and so does `val_dataloader` here.
_base_ = './loaders.py'

_data = dict(
    type='GroundingDataset',
    annotations_from='https://github.com/wjun0830/CGDETR/tree/main/data',
    video=[
        dict(
            type='FolderStore',
            folder='data/charades_sta/internvideo2_video',
            pattern='{vid}',
            dim=512,
            features_from='https://github.com/ai-forever/sg-detr',
        ),
    ],
    text=[
        dict(
            type='FolderStore',
            folder='data/charades_sta/internvideo2_text',
            pattern='{qid}',
            dim=512,
            features_from='https://github.com/ai-forever/sg-detr',
        ),
    ],
    saliency=dict(type='CoveredClips', share=0.5),
    clip_length=1.0,
    max_video_clips=200,
    max_text_tokens=40,
    max_windows=10,
    length_tolerance=3,
)
train_dataloader = dict(
    batch_size=64,
    dataset=dict(ann_file='data/charades_sta/charades_sta_train_tvr_format.jsonl', **_data),
)
val_dataloader = dict(
    batch_size=64,
    dataset=dict(
        ann_file='data/charades_sta/charades_sta_test_tvr_format.jsonl',
        test_mode=True,
        **_data,
    ),
)
test_dataloader = dict(
    batch_size=64,
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
