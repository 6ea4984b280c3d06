# SPDX-License-Identifier: Apache-2.0
# Audio moment retrieval: TUT Sound Events 2017, a test set for systems trained on Clotho-Moment,
# with recordings of 2 s to 60 s and moments from 0.1 s.
_base_ = './clotho_moment_clap.py'

_at = 'data/tut2017'
benchmark = dict(
    name='TUT Sound Events 2017',
    splits=dict(
        test=dict(
            ann_file=f'{_at}/tut2017_test_release.jsonl',
            video=[dict(_base_.benchmark.video[0], folder=f'{_at}/clap')],
            text=[dict(_base_.benchmark.text[0], folder=f'{_at}/clap_text')],
        ),
    ),
)
del _at
