# SPDX-License-Identifier: Apache-2.0
"""CausalVTG (NeurIPS 2025) in its published configuration for QVHighlights.

The values are those of the released code; configs/causalvtg/README.md says what differs from it.
"""

model = dict(
    type='Grounder',
    # Arguments of every component that takes them and does not set them itself.
    defaults=dict(dim=256, num_heads=8, hidden_dim=1024, drop_path=0.1, num_rows=256),
    video_projector=dict(type='LinearProjector', num_layers=2, dropout=0.5),
    text_projector=dict(type='LinearProjector', num_layers=2, dropout=0.5),
    embedding=dict(type='TokenEmbedding', modality=False),
    refiner=dict(
        video=dict(type='FrontDoorEncoder', stream='video', endpoints=2),
        text=dict(type='FrontDoorEncoder', stream='text'),
        sentence=dict(type='WeightedSentence'),
    ),
    fusion=dict(
        context_query=dict(type='ContextQueryFusion', dropout=0.5),
        temporal=dict(type='TemporalFusion', dropout=0.0),
    ),
    neck=dict(type='TemporalPyramid', strides=(1, 2, 4, 8)),
    moment_head=dict(
        type='PointHead',
        num_levels=4,
        scores=dict(kernel_size=3, num_convs=2, num_linear=None, refine=False),
        points=dict(type='PointGenerator1D'),
        assigner=dict(type='PointAssigner', radius=1.5),
        losses=dict(
            label=dict(type='FocalClassLoss', alpha=None, gamma=2.0, weight=1.0),
            span=dict(type='L1SpanLoss', on='offsets', weight=0.2),
        ),
        max_moments=50,
    ),
    saliency_head=dict(type='PointSaliencyHead', after='moment_head'),
    auxiliary=dict(
        nce=dict(type='SampledNCE', temperature=0.07, pair=-1, query='sentence', weight=0.1),
        answerability=dict(type='Answerability', weight=0.1),
    ),
    negatives=dict(stages=('fusion', 'encoder'), partner='auxiliary.answerability'),
    test_cfg=dict(
        score_digits=None,
        post_processor=dict(
            type='PostProcessor',
            steps=dict(
                clamp=dict(type='ClampMoments'),
                round=dict(type='RoundMoments'),
                # Suppressed moments leave the list.
                nms=dict(type='TemporalNMS', iou_threshold=0.7),
            ),
        ),
    ),
)
