# SPDX-License-Identifier: Apache-2.0
"""FlashVTG (Cao et al., WACV 2025, arXiv 2412.13441) in its published configuration for
QVHighlights with SlowFast and CLIP features.

Where paper and released code differ, the values are those of the code; configs/flashvtg/README.md
lists the differences.
"""

model = dict(
    type='Grounder',
    # Arguments of every component that takes them and does not set them itself.
    defaults=dict(
        dim=256, num_heads=8, hidden_dim=1024, dropout=0.1, drop_path=0.1, init='trunc_normal'
    ),
    video_projector=dict(type='LinearProjector', num_layers=2, dropout=0.5),
    text_projector=dict(type='LinearProjector', num_layers=2, dropout=0.5),
    embedding=dict(type='TokenEmbedding'),
    refiner=dict(type='DummyEncoder', num_dummies=40, num_layers=2),
    fusion=dict(
        type='ACA',
        num_layers=6,
        losses=dict(
            margin=dict(type='MarginPairLoss', margin=0.2, weight=0.8),
            rank=dict(type='RankContrastiveLoss', weight=0.8),
            bce=dict(type='SaliencyBCELoss', probability=True, weight=0.8),
            negative=dict(
                type='NegativePairLoss', probability=True, min_probability=1e-6, weight=0.8
            ),
        ),
    ),
    encoder=dict(type='TransformerEncoder', num_layers=3),
    saliency_head=dict(
        type='ContextProductSaliencyHead',
        context='mean',
        losses=dict(
            margin=dict(type='MarginPairLoss', margin=0.2, weight=0.8),
            rank=dict(type='RankContrastiveLoss', weight=0.8),
            negative=dict(type='NegativePairLoss', reduction='sum', weight=0.8),
        ),
    ),
    neck=dict(type='TemporalPyramid', strides=(1, 2, 4, 8)),
    moment_head=dict(
        type='PointHead',
        num_levels=4,
        scores=dict(kernel_size=5, num_convs=1, num_linear=5),
        points=dict(type='PointGenerator1D'),
        assigner=dict(type='PointAssigner', radius=1.5),
        losses=dict(
            label=dict(type='FocalClassLoss', alpha=None, gamma=2.0, weight=5.0),
            span=dict(type='L1SpanLoss', on='offsets', weight=1.0),
            clip_score=dict(type='ClipScoreLoss', weight=4.0),
        ),
        max_moments=50,
    ),
    auxiliary=dict(nce=dict(type='SampledNCE', temperature=0.07, weight=0.1)),
    negatives=dict(stages=('fusion', 'encoder', 'saliency_head')),
    test_cfg=dict(
        post_processor=dict(
            type='PostProcessor',
            steps=dict(
                clamp=dict(type='ClampMoments'),
                round=dict(type='RoundMoments'),
                scores=dict(type='RoundScores', digits=4),
                # Suppressed moments stay at the end of the list with score 0.
                nms=dict(type='SoftNMS', decay='zeroing', iou_threshold=0.7),
            ),
        ),
    ),
)
