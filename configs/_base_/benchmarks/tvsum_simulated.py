# SPDX-License-Identifier: Apache-2.0
# Simulated data in the shape of TVSum: nothing to download. Ten domains of four training videos and
# one other, 49 to 323 clips, each rated by 20 people from 1 to 5. One model per domain: set
# `domain` of the dataset, or run tools/train_domains.py.
_base_ = './loaders_light.py'

train_dataloader = dict(batch_size=4)
val_dataloader = dict(batch_size=4)
_domains = ('BK', 'BT', 'DS', 'FM', 'GA', 'MS', 'PK', 'PR', 'VT', 'VU')
benchmark = dict(
    name='simulated data in the shape of TVSum',
    dataset=dict(
        type='SimulatedRatings',
        raters=20,
        levels=(1, 5),
        query='title',
        video_seconds=(98.0, 236.0, 646.0),
        labels=dict(saliency=dict(type='ClipRatings', offset=1.0, scale=12 / 80)),
        duration_unit='clips',
        video_dims=(64,),
        text_dim=64,
        difficulty=0.5,
        world_seed=0,
    ),
    splits=dict(
        train=dict(domains=dict.fromkeys(_domains, 4), first_video=0),
        val=dict(domains=dict.fromkeys(_domains, 1), first_video=100000),
        test=dict(domains=dict.fromkeys(_domains, 1), first_video=200000),
    ),
    domains=_domains,
    evaluator=dict(type='HighlightMetric', mode='top5'),
    video_dim=64,
    text_dim=64,
    clip_length=2.0,
)
del _domains
