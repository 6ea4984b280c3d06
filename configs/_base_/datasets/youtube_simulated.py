# SPDX-License-Identifier: Apache-2.0
# Simulated data in the shape of YouTube Highlights: nothing to download. Six domains with the
# published numbers of videos, 4 to 741 clips, each a highlight or not; the query is the name of the
# domain. One model per domain: set `domain` of the three datasets, or run tools/train_domains.py.
domains = ('dog', 'gymnastics', 'parkour', 'skating', 'skiing', 'surfing')
_world = dict(
    type='SimulatedRatings',
    domain='dog',
    raters=1,
    levels=(0, 1),
    query='domain',
    video_seconds=(7.0, 60.0, 1235.0),
    saliency=dict(type='ClipRatings', offset=0.0, scale=1.0, relevant='positive'),
    clip_length=5 / 3,
    video_dims=(64,),
    text_dim=64,
    difficulty=0.5,
    world_seed=0,
)
_loader = dict(num_workers=0, collate_fn=dict(type='vtg.collate'))
train_dataloader = dict(
    batch_size=4,
    sampler=dict(type='EpochSampler', shuffle=True),
    dataset=dict(
        domains=dict(dog=39, gymnastics=33, parkour=18, skating=23, skiing=67, surfing=53),
        first_video=0,
        **_world,
    ),
    **_loader,
)
val_dataloader = dict(
    batch_size=4,
    sampler=dict(type='EpochSampler', shuffle=False),
    dataset=dict(
        domains=dict(dog=16, gymnastics=23, parkour=11, skating=10, skiing=50, surfing=42),
        first_video=100000,
        test_mode=True,
        **_world,
    ),
    **_loader,
)
test_dataloader = dict(
    batch_size=4,
    sampler=dict(type='EpochSampler', shuffle=False),
    dataset=dict(
        domains=dict(dog=16, gymnastics=23, parkour=11, skating=10, skiing=50, surfing=42),
        first_video=200000,
        test_mode=True,
        **_world,
    ),
    **_loader,
)
# Names the data in reports; published numbers are looked up under it.
benchmark = 'simulated data in the shape of YouTube Highlights'
val_evaluator = dict(type='HighlightMetric', mode='full')
test_evaluator = dict(type='HighlightMetric', mode='full')
del _world, _loader
