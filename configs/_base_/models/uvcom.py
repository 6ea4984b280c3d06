# SPDX-License-Identifier: Apache-2.0
"""UVCOM (Xiao et al., CVPR 2024, arXiv 2311.16464) with SlowFast and CLIP features."""

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
    # Words and clips take each other in side by side, both from the projections.
    refiner=dict(type='VideoToTextAttention', num_layers=3),
    fusion=dict(
        attention=dict(type='TextToVideoAttention', num_layers=3),
        integration=dict(
            type='ClusterIntegration',
            text_centres=5,
            video_centres=30,
            num_iterations=5,
            # The paper's 1.2 makes all clusters one; see the README.
            bandwidth=0.3,
            restart=0.5,
        ),
    ),
    encoder=dict(type='TransformerEncoder', num_layers=3, context_token='given'),
    saliency_head=dict(
        type='ContextProductSaliencyHead',
        losses=dict(
            margin=dict(type='MarginPairLoss', margin=0.2),
            rank=dict(type='RankContrastiveLoss', temperature=0.5),
            negative=dict(type='NegativePairLoss', reduction='sum'),
        ),
    ),
    moment_head=dict(
        type='QueryHead',
        queries=dict(type='SentenceQueries', num_queries=30, num_iterations=5),
        decoder=dict(
            type='SpanDecoder',
            num_layers=3,
            positions=dict(
                scale_first_layer=False,
                chained_key_position=False,
                add_first_position=True,
                predict_from='leaving',
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
            label=dict(type='SoftmaxClassLoss', background_weight=0.1, weight=4.0),
        ),
        num_logits=2,
        quality=False,
        prior=None,
    ),
    auxiliary=dict(
        contrast=dict(type='VideoSentenceContrast', choose_from=80),
    ),
    # From epoch 80 on every video gets the sentence of the batch that it resembles least.
    negatives=dict(
        stages=('refiner', 'fusion', 'encoder', 'saliency_head'), partner='auxiliary.contrast'
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
