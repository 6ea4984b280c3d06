# SPDX-License-Identifier: Apache-2.0
"""UMT (Liu et al., CVPR 2022, arXiv 2203.12745) in its published configuration for QVHighlights
with SlowFast, CLIP and PANN features.

Where paper and released code differ, the values are those of the code; configs/umt/README.md lists
the differences.
"""

model = dict(
    type='Grounder',
    defaults=dict(dim=256, num_heads=8, hidden_dim=1024, dropout=0.1, max_clips=5000),
    video_projector=dict(
        type='LinearProjector', num_layers=1, dropout=0.5, norm=None, xavier='normal'
    ),
    audio_projector=dict(
        type='LinearProjector', num_layers=1, dropout=0.5, norm=None, xavier='normal'
    ),
    text_projector=dict(
        type='LinearProjector', num_layers=1, dropout=0.3, norm='after', bias=False, xavier='normal'
    ),
    refiner=dict(
        video=dict(type='StreamEncoder', stream='video', num_layers=1),
        audio=dict(type='StreamEncoder', stream='audio', num_layers=1),
    ),
    fusion=dict(type='BottleneckFusion', num_layers=1, num_tokens=4),
    encoder=dict(type='ClipQueryDecoder', num_layers=3),
    saliency_head=dict(
        type='LinearSaliencyHead',
        losses=dict(bce=dict(type='SaliencyBCELoss', max_label=12.0, weight=3.0)),
    ),
    moment_head=dict(
        type='CentreHead',
        losses=dict(
            label=dict(type='GaussianFocalLoss'),
            width=dict(type='L1SpanLoss', on='width', weight=0.1),
            offset=dict(type='L1SpanLoss', on='centre', weight=1.0),
        ),
        max_moments=100,
    ),
    test_cfg=dict(score_digits=None),
)
