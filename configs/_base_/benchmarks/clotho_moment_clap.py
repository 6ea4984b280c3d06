# SPDX-License-Identifier: Apache-2.0
# Audio moment retrieval: Clotho-Moment with CLAP features of recordings (768), one row per second,
# and of words (768), as line/lighthouse loads them. Recordings of 60 s are made of background and
# sounds; there is no video, so the recording takes its place. Clips of all moments are labelled;
# lighthouse labels those of the first in the file.
_base_ = './loaders.py'

_from = dict(type='FolderStore', features_from='https://zenodo.org/records/13806234')
_at = 'data/clotho_moment'
benchmark = dict(
    features='clap',
    name='Clotho-Moment',
    dataset=dict(
        type='GroundingDataset',
        windows='repair',
        annotations_from='https://github.com/line/lighthouse/tree/main/data',
        labels=dict(saliency=dict(type='AllWindows', clip_from='clip_length'), max_windows=5),
        features=dict(max_video_clips=75, max_text_tokens=32, length_tolerance=2),
    ),
    splits=dict(
        train=dict(ann_file=f'{_at}/clotho_moment_train_release.jsonl'),
        val=dict(ann_file=f'{_at}/clotho_moment_val_release.jsonl'),
        test=dict(ann_file=f'{_at}/clotho_moment_test_release.jsonl'),
    ),
    evaluator=dict(type='MomentRetrievalMetric'),
    video=[dict(folder=f'{_at}/clap', pattern='{vid}', dim=768, **_from)],
    text=[dict(folder=f'{_at}/clap_text', pattern='qid{qid}', dim=768, **_from)],
    clip_length=1.0,
    duration_limit=150.0,
)
del _from, _at
