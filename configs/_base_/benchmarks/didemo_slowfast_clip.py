# SPDX-License-Identifier: Apache-2.0
# DiDeMo with SlowFast (2304) and CLIP ViT-B/32 (512) video, one row per 2 s, and CLIP text tokens
# (512), as released with UniVTG. Moments are runs of chunks of 5 s in the first 30 s of a video;
# training takes the one that most annotators chose, the metric knows all of them. The annotations
# are the output of tools/convert_annotations.py didemo.
_base_ = './loaders.py'

_from = dict(type='FolderStore', features_from='https://github.com/showlab/UniVTG')
_at = 'data/didemo'
benchmark = dict(
    features='tacos_slowfast_clip',
    name='DiDeMo',
    dataset=dict(
        type='GroundingDataset',
        windows='repair',
        annotations_from='https://github.com/LisaAnne/LocalizingMoments/tree/master/data',
        labels=dict(saliency=dict(type='SingleWindow', clip_from='clip_length')),
        features=dict(max_video_clips=15, max_text_tokens=32, length_tolerance=5),
    ),
    splits=dict(
        train=dict(ann_file=f'{_at}/train.jsonl'),
        val=dict(ann_file=f'{_at}/val.jsonl'),
        test=dict(ann_file=f'{_at}/test.jsonl'),
    ),
    evaluator=[dict(type='MomentRetrievalMetric'), dict(type='DiDeMoMetric')],
    video=[
        dict(folder=f'{_at}/slowfast_features', pattern='{vid}', dim=2304, **_from),
        dict(folder=f'{_at}/clip_features', pattern='{vid}', dim=512, **_from),
    ],
    text=[dict(folder=f'{_at}/clip_text_features', pattern='{qid}', dim=512, **_from)],
    clip_length=2.0,
    duration_limit=30.0,
    grid=None,
)
del _from, _at
