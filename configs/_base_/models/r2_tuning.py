# SPDX-License-Identifier: Apache-2.0
"""R2-Tuning (Liu et al., ECCV 2024, arXiv 2404.00801) in its published configuration for
QVHighlights: CLIP tokens of four layers, fused from the last layer to the earliest of them.

Where paper and released code differ, the values are those of the code;
configs/r2_tuning/README.md lists the differences.
"""

model = dict(
    type='Grounder',
    # Arguments of every component that takes them and does not set them itself.
    defaults=dict(dim=256, num_heads=8, hidden_dim=1024, drop_path=0.1),
    # Layers, and patches with the class token in front.
    video_projector=dict(type='LayeredProjector', row_shape=(4, 50), dropout=0.5),
    text_projector=dict(type='LayeredProjector', row_shape=(4,), layer=0, dropout=0.5),
    embedding=dict(type='TokenEmbedding', modality=False),
    fusion=dict(type='ReversedRecurrentFusion', backbone_layers=4, dropout=0.0),
    neck=dict(type='TemporalPyramid', strides=(1, 2, 4, 8)),
    moment_head=dict(
        type='PointHead',
        num_levels=4,
        scores=dict(kernel_size=3, num_convs=2, num_linear=None, refine=False),
        points=dict(type='PointGenerator1D'),
        assigner=dict(type='PointAssigner', radius=1.5),
        losses=dict(
            label=dict(type='FocalClassLoss', alpha=None, gamma=2.0, weight=1.0),
            span=dict(type='L1SpanLoss', on='offsets', weight=0.2),
        ),
        max_moments=50,
    ),
    saliency_head=dict(type='PointSaliencyHead', after='moment_head'),
    auxiliary=dict(
        nce=dict(type='SampledNCE', temperature=0.07, pair=-1, query='sentence', weight=0.1),
        calibration=dict(type='LayerCalibration', video_weight=0.1, layer_weight=0.1),
    ),
    test_cfg=dict(
        score_digits=None,
        post_processor=dict(
            type='PostProcessor',
            steps=dict(
                clamp=dict(type='ClampMoments'),
                round=dict(type='RoundMoments'),
                # Suppressed moments stay at the end of the list with score 0.
                nms=dict(type='SoftNMS', decay='zeroing', iou_threshold=0.7),
            ),
        ),
    ),
)
