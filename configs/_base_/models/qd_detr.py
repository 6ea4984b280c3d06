# SPDX-License-Identifier: Apache-2.0
"""QD-DETR (Moon et al., CVPR 2023, arXiv 2303.13874) with SlowFast and CLIP features."""

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
        queries=dict(type='LearnedQueries', num_queries=10, content_std=None),
        decoder=dict(
            type='SpanDecoder',
            num_layers=2,
            positions=dict(
                scale_first_layer=False,
                chained_key_position=False,
                add_first_position=True,
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
    negatives=dict(stages=('fusion', 'encoder', 'saliency_head')),
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
