# SPDX-License-Identifier: Apache-2.0
"""BAM-DETR (Lee and Byun, ECCV 2024, arXiv 2312.00083) with SlowFast and CLIP features."""

model = dict(
    type='Grounder',
    # Arguments of every component that takes them and does not set them itself.
    defaults=dict(
        dim=256,
        num_heads=8,
        hidden_dim=1024,
        dropout=0.1,
        drop_path=0.0,
        residual_dropout=0.1,
        activation='prelu',
        init='xavier',
    ),
    video_projector=dict(type='LinearProjector', num_layers=2, dropout=0.5),
    text_projector=dict(type='LinearProjector', num_layers=2, dropout=0.5),
    embedding=dict(type='TokenEmbedding', modality=False),
    fusion=dict(type='TextToVideoAttention', num_layers=2),
    encoder=dict(type='TransformerEncoder', num_layers=2, context_token='learned'),
    neck=dict(type='BoundaryConvs', weight=1.0),
    saliency_head=dict(
        type='ContextProductSaliencyHead',
        losses=dict(
            margin=dict(type='MarginPairLoss', margin=0.2),
            # Eleven ranks, divided by twelve, in the released code; the paper has no such detail.
            rank=dict(type='RankContrastiveLoss', temperature=0.5),
            # The released code sums over the clips of a video.
            negative=dict(type='NegativePairLoss', reduction='sum'),
        ),
    ),
    moment_head=dict(
        type='QueryHead',
        queries=dict(type='LearnedPoints', num_queries=10, contents=3),
        decoder=dict(type='DualPathDecoder', num_layers=2),
        matcher=dict(
            type='HungarianMatcher',
            costs=dict(
                span=dict(type='L1SpanCost', on='ends', inside=True, weight=10.0),
                giou=dict(type='GIoUCost', inside=True, weight=1.0),
            ),
        ),
        # Scores are predicted overlaps; there is no class.
        losses=dict(
            span=dict(type='L1SpanLoss', on='ends', weight=10.0),
            giou=dict(type='GIoUSpanLoss', weight=1.0),
            quality=dict(type='BestOverlapLoss', weight=2.0),
        ),
        num_logits=1,
        quality=False,
        prior=None,
    ),
    negatives=dict(stages=('fusion', 'encoder', 'saliency_head')),
    test_cfg=dict(
        saliency_dtype='float16',
        post_processor=dict(
            type='PostProcessor',
            steps=dict(
                clamp=dict(type='ClampMoments'),
                round=dict(type='RoundMoments'),
                scores=dict(type='RoundScores', digits=4),
                nms=dict(type='SoftNMS', decay='gaussian_above', iou_threshold=0.3, sigma=0.5),
            ),
        ),
    ),
)
