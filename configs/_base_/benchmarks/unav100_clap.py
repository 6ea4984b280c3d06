# SPDX-License-Identifier: Apache-2.0
# Audio moment retrieval: the subset of UnAV-100, a test set for systems trained on Clotho-Moment.
_base_ = './clotho_moment_clap.py'

_from = dict(type='FolderStore', features_from='https://zenodo.org/records/13806234')
_at = 'data/unav100-subset'
benchmark = dict(
    name='UnAV-100 subset',
    splits=dict(
        test=dict(
            ann_file=f'{_at}/unav100-subset_test_release.jsonl',
            video=[dict(folder=f'{_at}/clap', pattern='{vid}', dim=768, **_from)],
            text=[dict(folder=f'{_at}/clap_text', pattern='qid{qid}', dim=768, **_from)],
        ),
    ),
)
del _from, _at
