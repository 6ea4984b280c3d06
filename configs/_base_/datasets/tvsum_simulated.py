# SPDX-License-Identifier: Apache-2.0
# Simulated data in the shape of TVSum: nothing to download. Ten domains of four training videos and
# one other, 49 to 323 clips, each rated by 20 people from 1 to 5. One model per domain: set
# `domain` of the three datasets, or run tools/train_domains.py.
domains = ('BK', 'BT', 'DS', 'FM', 'GA', 'MS', 'PK', 'PR', 'VT', 'VU')
_world = dict(
    type='SimulatedRatings',
    domain='BK',
    raters=20,
    levels=(1, 5),
    query='title',
    video_seconds=(98.0, 236.0, 646.0),
    saliency=dict(type='ClipRatings', offset=1.0, scale=12 / 80),
    clip_length=2.0,
    duration_unit='clips',
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
        domains=dict.fromkeys(domains, 4),
        first_video=0,
        **_world,
    ),
    **_loader,
)
val_dataloader = dict(
    batch_size=4,
    sampler=dict(type='EpochSampler', shuffle=False),
    dataset=dict(
        domains=dict.fromkeys(domains, 1),
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
        domains=dict.fromkeys(domains, 1),
        first_video=200000,
        test_mode=True,
        **_world,
    ),
    **_loader,
)
# Names the data in reports; published numbers are looked up under it.
benchmark = 'simulated data in the shape of TVSum'
val_evaluator = dict(type='HighlightMetric', mode='top5')
test_evaluator = dict(type='HighlightMetric', mode='top5')
del _world, _loader
