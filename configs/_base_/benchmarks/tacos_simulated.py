# SPDX-License-Identifier: Apache-2.0
# Simulated data in the shape of TACoS: nothing to download. Lengths of videos and windows have the
# range and the median of the training split; one window per query. A video of TACoS has 130
# queries, here about 12.
_base_ = './loaders_light.py'

benchmark = dict(
    name='simulated data in the shape of TACoS',
    dataset=dict(
        type='SimulatedMoments',
        video_seconds=(51.5, 184.6, 1402.2),
        moment_seconds=(0.48, 10.8, 751.4),
        moments=(1, 1),
        queries=(8, 16),
        labels=dict(saliency=dict(type='SingleWindow', clip_from='duration')),
        video_dims=(64,),
        text_dim=64,
        difficulty=0.5,
        world_seed=0,
    ),
    splits=dict(
        train=dict(num_videos=64, first_video=0),
        val=dict(num_videos=24, first_video=100000),
        test=dict(num_videos=24, first_video=200000),
    ),
    evaluator=dict(
        type='MomentRetrievalMetric', selection={'MR-full-R1@0.5': 1.0, 'MR-full-R1@0.7': 1.0}
    ),
    video_dim=64,
    text_dim=64,
    clip_length=2.0,
)
