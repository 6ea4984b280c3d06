# SPDX-License-Identifier: Apache-2.0
"""UniVTG (Lin et al., ICCV 2023, arXiv 2307.16715) with SlowFast and CLIP features."""

model = dict(
    type='Grounder',
    # Arguments of every component that takes them and does not set them itself.
    defaults=dict(
        dim=1024,
        num_heads=8,
        hidden_dim=1024,
        dropout=0.0,
        drop_path=0.1,
        activation='gelu',
        init='xavier',
    ),
    video_projector=dict(type='LinearProjector', num_layers=2, dropout=0.5),
    text_projector=dict(type='LinearProjector', num_layers=2, dropout=0.5),
    embedding=dict(type='TokenEmbedding', modality=True),
    fusion=dict(type='Concatenation'),
    encoder=dict(type='TransformerEncoder', num_layers=4),
    saliency_head=dict(
        type='TextCosineSaliencyHead',
        losses=dict(
            inter=dict(type='InterVideoNCELoss', temperature=0.07, weight=0.01),
            intra=dict(type='IntraVideoNCELoss', temperature=0.07, weight=0.05),
        ),
    ),
    moment_head=dict(
        type='ClipOffsetHead',
        num_convs=3,
        losses=dict(
            # Weight 0.1 of clips outside is in the released code, not in the paper.
            label=dict(type='SigmoidClassLoss', background_weight=0.1, weight=10.0),
            span=dict(type='SmoothL1SpanLoss', on='ends', reduction='sum', weight=10.0),
            giou=dict(type='GIoUSpanLoss', eps=0.0, weight=1.0),
        ),
    ),
    # Highlights are reported as saliency plus foreground probability.
    feedback=dict(
        report=dict(type='AddForeground', after='moment_head', saliency_dtype='float16'),
    ),
    test_cfg=dict(
        post_processor=dict(
            type='PostProcessor',
            steps=dict(
                nms=dict(type='TemporalNMS', iou_threshold=0.7, max_before=1000, max_after=10)
            ),
        ),
    ),
)
