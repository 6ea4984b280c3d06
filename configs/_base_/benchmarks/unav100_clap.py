# SPDX-License-Identifier: Apache-2.0
# Audio moment retrieval: the subset of UnAV-100, a test set for systems trained on Clotho-Moment.
_base_ = './clotho_moment_clap.py'

_at = 'data/unav100-subset'
benchmark = dict(
    name='UnAV-100 subset',
    splits=dict(
        test=dict(
            ann_file=f'{_at}/unav100-subset_test_release.jsonl',
            video=[dict(_base_.benchmark.video[0], folder=f'{_at}/clap')],
            text=[dict(_base_.benchmark.text[0], folder=f'{_at}/clap_text')],
        ),
    ),
)
del _at
