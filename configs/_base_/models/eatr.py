# SPDX-License-Identifier: Apache-2.0
"""EaTR (Jang et al., ICCV 2023, arXiv 2308.06947) with SlowFast and CLIP features."""

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
        activation='relu',
        init='xavier',
    ),
    video_projector=dict(type='LinearProjector', num_layers=2, dropout=0.5),
    text_projector=dict(type='LinearProjector', num_layers=2, dropout=0.5),
    embedding=dict(type='TokenEmbedding', modality=False),
    fusion=dict(type='Concatenation'),
    encoder=dict(type='TransformerEncoder', num_layers=3),
    saliency_head=dict(
        type='LinearSaliencyHead',
        losses=dict(margin=dict(type='MarginPairLoss', margin=0.2)),
    ),
    moment_head=dict(
        type='QueryHead',
        # Slots share out the clips; features alone say where events begin and end.
        queries=dict(
            type='EventSlots',
            num_queries=10,
            num_iterations=3,
            events=dict(type='PseudoEvents'),
            matcher=dict(
                type='HungarianMatcher',
                costs=dict(
                    span=dict(type='L1SpanCost', weight=10.0),
                    giou=dict(type='GIoUCost', weight=1.0),
                ),
            ),
            # Three times the weights of the moments.
            losses=dict(
                span=dict(type='L1SpanLoss', weight=30.0),
                giou=dict(type='GIoUSpanLoss', weight=3.0),
            ),
        ),
        decoder=dict(
            type='GatedSpanDecoder',
            num_layers=3,
            positions=dict(
                scale_first_layer=True,
                chained_key_position=False,
                add_first_position=True,
                wide_code=True,
                detach_first=True,
                shared_head=True,
            ),
        ),
        attend_text=True,
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
