# SPDX-License-Identifier: Apache-2.0
"""VideoLights (Paul et al., arXiv 2412.01558) with SlowFast and CLIP features.

Where paper and released code differ, the values are those of the code, which the published numbers
come from; README.md beside configs/videolights/qvhl.py lists the differences.
"""

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
    video_projector=dict(type='ConvProjector', num_layers=2, dropout=0.5),
    text_projector=dict(type='ConvProjector', num_layers=2, dropout=0.5),
    embedding=dict(type='TokenEmbedding', modality=False),
    # Its dropout is fixed in the released code.
    refiner=dict(type='FeatureRefinement', dropout=0.1),
    fusion=dict(type='BiCMF', num_layers=1),
    encoder=dict(type='TransformerEncoder', num_layers=3, context_token='learned'),
    saliency_head=dict(
        type='ContextProductSaliencyHead',
        losses=dict(
            margin=dict(type='MarginPairLoss', margin=0.2),
            # Eleven ranks, divided by twelve, in the released code.
            rank=dict(type='RankContrastiveLoss', temperature=0.5),
            # The released code sums over the clips of a video.
            negative=dict(type='NegativePairLoss', reduction='sum'),
            # Task-specific loss, a sum over the batch; the paper has a mean.
            cosine=dict(type='SaliencyCosineLoss'),
            hard_positive=dict(type='AdaptiveHardLoss', clips='positive', coef=10.0),
            hard_negative=dict(type='AdaptiveHardLoss', clips='negative', coef=10.0),
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
            # Query-text alignment.
            align=dict(type='QueryTextAlignment', embed_dim=64, weight=0.2, text='projected'),
        ),
        num_logits=2,
        quality=False,
        prior=None,
    ),
    auxiliary=dict(
        # Moment-to-highlight scores with the task-coupled loss.
        moment_saliency=dict(
            type='MomentSummarySaliency', losses=dict(cosine=dict(type='SaliencyCosineLoss'))
        ),
        # Video-text alignment.
        clip_text=dict(
            type='ClipTextSaliency',
            losses=dict(cosine=dict(type='SaliencyCosineLoss', weight=0.2)),
        ),
    ),
    # The clips stay refined with the matching text, as in the released code.
    negatives=dict(stages=('fusion', 'encoder', 'saliency_head'), keep=('video',)),
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
