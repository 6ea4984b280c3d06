# SPDX-License-Identifier: Apache-2.0
# Simulated data in the format of QVHighlights: nothing to download. The splits are disjoint videos
# of the same world. Samples are made in well under a millisecond, so no workers are needed.
_base_ = './loaders_light.py'

benchmark = dict(
    name='simulated data',
    dataset=dict(
        type='SimulatedDataset',
        num_clips=(20, 40),
        max_moments=3,
        moment_clips=(2, 12),
        video_dims=(64,),
        text_dim=64,
        difficulty=0.5,
        world_seed=0,
    ),
    splits=dict(
        train=dict(num_samples=768, first_video=0),
        val=dict(num_samples=256, first_video=100000),
        test=dict(num_samples=256, first_video=200000),
    ),
    evaluator=dict(type='QVHighlightsMetric'),
    video_dim=64,
    text_dim=64,
    clip_length=2.0,
    duration_limit=150.0,
)
