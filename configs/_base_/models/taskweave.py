# SPDX-License-Identifier: Apache-2.0
"""TaskWeave (Yang et al., CVPR 2024) for QVHighlights, with moment-guided feedback.

Where paper and released code differ, the values are those of the code; configs/taskweave/README.md
lists the differences.
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
        init='xavier',
    ),
    video_projector=dict(type='LinearProjector', num_layers=2, dropout=0.5),
    text_projector=dict(type='LinearProjector', num_layers=2, dropout=0.5),
    embedding=dict(type='TokenEmbedding', modality=False),
    fusion=dict(type='TextToVideoAttention', num_layers=2),
    encoder=dict(type='TemporalMaxPool', kernel_size=5),
    neck=dict(
        type='TaskDecoupledUnit',
        num_layers=2,
        moment_expert=dict(type='ConvExpert', kernel_size=5),
        saliency_expert=dict(type='IdentityExpert'),
    ),
    saliency_head=dict(
        type='LightSaliencyHead',
        after='moment_head',
        kernel_size=1,
        losses=dict(
            margin=dict(type='MarginPairLoss', margin=0.2),
            rank=dict(type='RankContrastiveLoss'),
            negative=dict(type='NegativePairLoss', reduction='sum'),
        ),
    ),
    feedback=dict(
        moment_guided=dict(
            type='MomentGuidedFeedback', before='saliency_head', start=0.5, stop=1.0
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
        # The learned balance takes the terms without weights; 10, 1 and 4 are for matching only.
        losses=dict(
            span=dict(type='L1SpanLoss', weight=1.0),
            giou=dict(type='GIoUSpanLoss', weight=1.0),
            label=dict(type='SoftmaxClassLoss', background_weight=0.1, weight=1.0),
        ),
        num_logits=2,
        quality=False,
        prior=None,
    ),
    negatives=dict(stages=('fusion', 'encoder', 'neck', 'saliency_head')),
    loss_balancer=dict(type='UncertaintyBalancer', weights=dict(moment=1.0, saliency=2.0)),
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
