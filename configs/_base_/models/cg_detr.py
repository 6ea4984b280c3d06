# SPDX-License-Identifier: Apache-2.0
"""CG-DETR (Moon et al., arXiv 2311.08835) in its published configuration for QVHighlights.

Where paper and released code differ, the values are those of the code; configs/cg_detr/README.md
lists the differences.
"""

model = dict(
    type='Grounder',
    # Arguments of every component that takes them and does not set them itself.
    defaults=dict(dim=256, num_heads=8, hidden_dim=1024, dropout=0.1, drop_path=0.1, init='xavier'),
    video_projector=dict(type='LinearProjector', num_layers=2, dropout=0.5),
    text_projector=dict(type='LinearProjector', num_layers=2, dropout=0.5),
    embedding=dict(type='TokenEmbedding'),
    refiner=dict(type='DummyEncoder', num_dummies=45, num_layers=2, orthogonal_weight=1.0),
    fusion=dict(
        type='ACA',
        num_layers=2,
        context=dict(
            type='MomentAdaptiveToken', num_prompts=10, num_selected=1, orthogonal_weight=1.0
        ),
        losses=dict(
            margin=dict(type='MarginPairLoss', margin=0.2),
            rank=dict(type='RankContrastiveLoss'),
            bce=dict(type='SaliencyBCELoss', probability=True),
            negative=dict(type='NegativePairLoss', probability=True, min_probability=1e-6),
        ),
    ),
    encoder=dict(
        type='TransformerEncoder',
        num_layers=3,
        context_token='given',
        add_context=True,
    ),
    saliency_head=dict(
        type='ContextProductSaliencyHead',
        losses=dict(
            margin=dict(type='MarginPairLoss', margin=0.2),
            rank=dict(type='RankContrastiveLoss'),
            negative=dict(type='NegativePairLoss', reduction='sum'),
        ),
    ),
    moment_head=dict(
        type='QueryHead',
        queries=dict(type='LearnedQueries', num_queries=10, content_std=None),
        decoder=dict(
            type='SpanDecoder',
            num_layers=3,
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
    auxiliary=dict(
        correlation=dict(
            type='ClipWordCorrelation',
            moment_layers=1,
            sentence_encoder=dict(num_layers=1, dropout=0.1),
            align_weight=1.0,
            distill_weight=1.0,
        ),
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
