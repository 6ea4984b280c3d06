# SPDX-License-Identifier: Apache-2.0
# Simulated data in the format of QVHighlights: nothing to download. The splits are disjoint videos
# of the same world. Samples are made in well under a millisecond, so no workers are needed.
_world = dict(
    type='SimulatedDataset',
    num_clips=(20, 40),
    max_moments=3,
    moment_clips=(2, 12),
    video_dims=(64,),
    text_dim=64,
    difficulty=0.5,
    world_seed=0,
)
train_dataloader = dict(
    batch_size=32,
    num_workers=0,
    sampler=dict(type='EpochSampler', shuffle=True),
    collate_fn=dict(type='vtg.collate'),
    dataset=dict(num_samples=768, first_video=0, **_world),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=0,
    sampler=dict(type='EpochSampler', shuffle=False),
    collate_fn=dict(type='vtg.collate'),
    dataset=dict(num_samples=256, first_video=100000, test_mode=True, **_world),
)
test_dataloader = dict(
    batch_size=32,
    num_workers=0,
    sampler=dict(type='EpochSampler', shuffle=False),
    collate_fn=dict(type='vtg.collate'),
    dataset=dict(num_samples=256, first_video=200000, test_mode=True, **_world),
)
# Names the data in reports; published numbers are looked up under it.
benchmark = 'simulated data'
val_evaluator = dict(type='QVHighlightsMetric')
test_evaluator = dict(type='QVHighlightsMetric')
del _world
