# SPDX-License-Identifier: Apache-2.0
"""Moment-DETR (Lei et al., NeurIPS 2021, arXiv 2107.09609) with SlowFast and CLIP features."""

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
    encoder=dict(type='TransformerEncoder', num_layers=2),
    saliency_head=dict(
        type='LinearSaliencyHead',
        losses=dict(margin=dict(type='MarginPairLoss', margin=0.2)),
    ),
    moment_head=dict(
        type='QueryHead',
        queries=dict(type='LearnedSlots', num_queries=10),
        decoder=dict(type='SlotDecoder', num_layers=2),
        attend_text=True,
        matcher=dict(
            type='HungarianMatcher',
            costs=dict(
                label=dict(type='ClassCost', weight=4.0, activation='softmax'),
                span=dict(type='L1SpanCost', weight=10.0),
                giou=dict(type='GIoUCost', weight=1.0),
            ),
        ),
        # The alignment of queries and words is an option of the released code, off in all published
        # runs; see qvhl_align.py.
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
