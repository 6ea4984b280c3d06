# SPDX-License-Identifier: Apache-2.0
# Simulated data in the shape of YouTube Highlights: nothing to download. Six domains with the
# published numbers of videos, 4 to 741 clips, each a highlight or not; the query is the name of the
# domain. One model per domain: set `domain` of the dataset, or run tools/train_domains.py.
_base_ = './loaders_light.py'

train_dataloader = dict(batch_size=4)
val_dataloader = dict(batch_size=4)
_valid = dict(dog=16, gymnastics=23, parkour=11, skating=10, skiing=50, surfing=42)
benchmark = dict(
    name='simulated data in the shape of YouTube Highlights',
    dataset=dict(
        type='SimulatedRatings',
        raters=1,
        levels=(0, 1),
        query='domain',
        video_seconds=(7.0, 60.0, 1235.0),
        labels=dict(saliency=dict(type='ClipRatings', offset=0.0, scale=1.0, relevant='positive')),
        video_dims=(64,),
        text_dim=64,
        difficulty=0.5,
        world_seed=0,
    ),
    splits=dict(
        train=dict(
            domains=dict(dog=39, gymnastics=33, parkour=18, skating=23, skiing=67, surfing=53),
            first_video=0,
        ),
        val=dict(domains=_valid, first_video=100000),
        test=dict(domains=_valid, first_video=200000),
    ),
    domains=tuple(_valid),
    evaluator=dict(type='HighlightMetric', mode='full'),
    video_dim=64,
    text_dim=64,
    clip_length=5 / 3,
)
del _valid
