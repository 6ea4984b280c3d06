# SPDX-License-Identifier: Apache-2.0
# Simulated data in the shape of Charades-STA: nothing to download. Lengths of videos and windows
# have the range and the median of the training split; one window per query, about two queries per
# video.
_base_ = './loaders_light.py'

benchmark = dict(
    name='simulated data in the shape of Charades-STA',
    dataset=dict(
        type='SimulatedMoments',
        video_seconds=(5.5, 30.7, 194.3),
        moment_seconds=(1.7, 7.3, 80.8),
        moments=(1, 1),
        queries=(1, 4),
        labels=dict(saliency=dict(type='SingleWindow', clip_from='duration')),
        video_dims=(64,),
        text_dim=64,
        difficulty=0.5,
        world_seed=0,
    ),
    splits=dict(
        train=dict(num_videos=320, first_video=0),
        val=dict(num_videos=120, first_video=100000),
        test=dict(num_videos=120, first_video=200000),
    ),
    evaluator=dict(
        type='MomentRetrievalMetric', selection={'MR-full-R1@0.5': 1.0, 'MR-full-R1@0.7': 1.0}
    ),
    video_dim=64,
    text_dim=64,
    clip_length=1.0,
    duration_limit=150.0,
)
