# SPDX-License-Identifier: Apache-2.0
# Simulated data in the shape of Charades-STA: nothing to download. Lengths of videos and windows
# have the range and the median of the training split; one window per query, about two queries per
# video.
_world = dict(
    type='SimulatedMoments',
    video_seconds=(5.5, 30.7, 194.3),
    moment_seconds=(1.7, 7.3, 80.8),
    moments=(1, 1),
    queries=(1, 4),
    saliency=dict(type='SingleWindow', clip_from='duration'),
    clip_length=1.0,
    video_dims=(64,),
    text_dim=64,
    difficulty=0.5,
    world_seed=0,
)
_loader = dict(num_workers=0, collate_fn=dict(type='vtg.collate'))
train_dataloader = dict(
    batch_size=32,
    sampler=dict(type='EpochSampler', shuffle=True),
    dataset=dict(num_videos=320, first_video=0, **_world),
    **_loader,
)
val_dataloader = dict(
    batch_size=32,
    sampler=dict(type='EpochSampler', shuffle=False),
    dataset=dict(num_videos=120, first_video=100000, test_mode=True, **_world),
    **_loader,
)
test_dataloader = dict(
    batch_size=32,
    sampler=dict(type='EpochSampler', shuffle=False),
    dataset=dict(num_videos=120, first_video=200000, test_mode=True, **_world),
    **_loader,
)
# Names the data in reports; published numbers are looked up under it.
benchmark = 'simulated data in the shape of Charades-STA'
_metric = dict(
    type='MomentRetrievalMetric', selection={'MR-full-R1@0.5': 1.0, 'MR-full-R1@0.7': 1.0}
)
val_evaluator = _metric
test_evaluator = _metric
del _world, _loader, _metric
