# SPDX-License-Identifier: Apache-2.0
# Audio moment retrieval: CASTELLA with CLAP features, see clotho_moment_clap.py. Recordings of one
# to five minutes with up to 32 moments per query, some of which end after the recording.
_base_ = './clotho_moment_clap.py'

_from = dict(
    type='FolderStore',
    features_from='https://huggingface.co/datasets/lighthouse-emnlp2024/CASTELLA_CLAP_features',
)
_at = 'data/castella'
benchmark = dict(
    name='CASTELLA',
    dataset=dict(features=dict(max_video_clips=300)),
    splits=dict(
        train=dict(ann_file=f'{_at}/castella_train_release.jsonl'),
        val=dict(ann_file=f'{_at}/castella_val_release.jsonl'),
        test=dict(ann_file=f'{_at}/castella_test_release.jsonl'),
    ),
    video=[dict(folder=f'{_at}/clap', pattern='{vid}', dim=768, **_from)],
    text=[dict(folder=f'{_at}/clap_text', pattern='qid{qid}', dim=768, **_from)],
    duration_limit=300.0,
)
del _from, _at
