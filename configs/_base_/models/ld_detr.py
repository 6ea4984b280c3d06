# SPDX-License-Identifier: Apache-2.0
"""LD-DETR (Zhao et al., arXiv 2501.10787) with SlowFast and CLIP features."""

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
    refiner=dict(type='ContextQueryRefinement'),
    fusion=dict(type='TextToVideoAttention', num_layers=2),
    encoder=dict(
        first=dict(type='TransformerEncoder', num_layers=2),
        blocks=dict(type='ResidualConvEncoder', num_blocks=5),
        second=dict(type='TransformerEncoder', num_layers=2),
    ),
    saliency_head=dict(
        type='LinearSaliencyHead',
        after='moment_head',
        summed=True,
        losses=dict(
            margin=dict(type='MarginPairLoss', margin=0.2),
            # Eleven ranks, divided by twelve, in the released code.
            rank=dict(type='RankContrastiveLoss', temperature=0.5),
        ),
    ),
    moment_head=dict(
        type='QueryHead',
        queries=dict(type='LearnedQueries', num_queries=10, content_std=None),
        decoder=dict(
            type='LoopedDecoder',
            loops=3,
            decoder=dict(
                type='SpanDecoder',
                num_layers=2,
                positions=dict(
                    scale_first_layer=False,
                    chained_key_position=False,
                    add_first_position=True,
                ),
            ),
        ),
        matcher=dict(
            type='HungarianMatcher',
            costs=dict(
                label=dict(type='ClassCost', weight=4.0, activation='softmax'),
                span=dict(type='L1SpanCost', weight=10.0),
                giou=dict(type='GIoUCost', weight=1.0),
            ),
        ),
        losses=dict(
            span=dict(type='L1SpanLoss', weight=10.0),
            giou=dict(type='GIoUSpanLoss', weight=1.0),
            label=dict(type='FocalClassLoss', alpha=0.25, gamma=2.0, weight=4.0),
        ),
        num_logits=2,
        quality=False,
        prior=None,
    ),
    feedback=dict(moments=dict(type='MomentSummaryFeedback', before='saliency_head')),
    auxiliary=dict(
        # A warm-up of one epoch of QVHighlights; a memory of the vectors of some nine.
        distillation=dict(
            type='MomentumAlignment',
            queue_size=65536,
            momentum=0.995,
            distillation=0.4,
            warmup_steps=226,
            weight=0.6,
        ),
        # In the released code alone.
        prediction=dict(type='MutualPrediction', weight=0.6),
    ),
    test_cfg=dict(
        saliency_dtype='float16',
        post_processor=dict(
            type='PostProcessor',
            steps=dict(
                clamp=dict(type='ClampMoments'),
                round=dict(type='RoundMoments'),
            ),
        ),
    ),
)
