"""SG-DETR (arXiv 2410.01615) in its published configuration for QVHighlights.

Where paper and released code differ, the values are those of the code; README.md beside
configs/sgdetr/qvhl.py lists the differences.
"""

model = dict(
    type='Grounder',
    # Arguments of every component that takes them and does not set them itself.
    defaults=dict(dim=256, num_heads=8, hidden_dim=1024, dropout=0.1, drop_path=0.15),
    # 512 features and 2 temporal endpoint features
    video_projector=dict(type='LinearProjector', num_layers=2, dropout=0.5, xavier=True),
    text_projector=dict(type='LinearProjector', num_layers=2, dropout=0.5, xavier=True),
    local_saliency_head=dict(
        type='CosineSaliencyHead',
        num_layers=2,
        # The released code scores negatives with the modality embedding added to the clips.
        negative_video='embedded',
        losses=dict(
            bce=dict(type='SaliencyBCELoss'),
            negative=dict(type='NegativePairLoss', reduction='mean', min_probability=1e-7),
            margin=dict(type='MarginPairLoss', margin=0.15, sigmoid=True),
            rank=dict(type='RankContrastiveLoss'),
        ),
    ),
    embedding=dict(type='TokenEmbedding'),
    fusion=dict(
        type='SGCA',
        num_layers=2,
    ),
    encoder=dict(
        type='TransformerEncoder',
        num_layers=3,
    ),
    saliency_head=dict(
        type='LocalToGlobalSaliencyHead',
        losses=dict(
            bce=dict(type='SaliencyBCELoss'),
            negative=dict(type='NegativePairLoss', reduction='mean', min_probability=1e-7),
            margin=dict(type='MarginPairLoss', margin=0.15, sigmoid=True),
            rank=dict(type='RankContrastiveLoss'),
        ),
    ),
    feedback=dict(amplifier=dict(type='SaliencyAmplifier', after='saliency_head')),
    neck=dict(type='DepthwisePyramid'),
    moment_head=dict(
        type='HybridHead',
        dense_head=dict(
            type='ATSSHead',
            num_convs=3,
            anchors=dict(type='AnchorGenerator1D', strides=(0.5, 1, 2, 4), sizes=(4, 16, 32, 64)),
            assigner=dict(type='ATSSAssigner', topk=12),
            coder=dict(type='AnchorDeltaCoder'),
            prior=0.35,
            # paper: label 5, giou 1, span 10, centerness 1
            losses=dict(
                label=dict(type='FocalClassLoss', alpha=0.25, gamma=2.0, weight=2.0),
                giou=dict(type='GIoUSpanLoss', eps=1e-7, weight=2.0),
                span=dict(type='SmoothL1SpanLoss', on='ends', reduction='sum', weight=0.1),
                centerness=dict(type='CenternessLoss', weight=0.5),
            ),
            test_cfg=dict(score_thr=0.05, iou_thr=0.5, top_n=10),
        ),
        query_head=dict(
            type='QueryHead',
            queries=dict(
                type='PyramidQuerySelector',
                num_queries=25,
                widths=(0.05, 0.2, 0.4, 0.85),
                prior=0.35,
            ),
            decoder=dict(
                type='SpanDecoder',
                num_layers=3,
            ),
            matcher=dict(
                type='HungarianMatcher',
                costs=dict(
                    label=dict(type='ClassCost', weight=4.0),
                    span=dict(type='L1SpanCost', weight=10.0),
                    giou=dict(type='GIoUCost', weight=1.0),
                    quality=dict(type='QualityCost', weight=1.0),
                ),
            ),
            losses=dict(
                span=dict(type='SmoothL1SpanLoss', weight=10.0),
                giou=dict(type='GIoUSpanLoss', weight=1.0),
                label=dict(type='SigmoidClassLoss', background_weight=0.1, weight=5.0),
                quality=dict(type='QualityLoss', weight=1.0),
            ),
            quality=True,
            prior=0.35,
        ),
        # Co-DETR's queries from positive anchors; denoising queries (query_head.extras.denoising)
        # are in the paper and off in every released config.
        collab=True,
        box_fusion=dict(
            type='WeightedBoxFusion1D',
            weights=(1.0, 2.5),
            iou_thr=0.8,
            skip_thr=0.1,
            max_length=None,
        ),
        dense_test_cfg=dict(score_thr=0.01, iou_thr=0.75, top_n=10),
    ),
    auxiliary=dict(
        alignment=dict(
            type='MomentSentenceAlignment',
            num_layers=1,
            align_weight=1.0,
            clip_weight=3.0,
        ),
    ),
    negatives=dict(stages=('local_saliency_head', 'fusion', 'encoder', 'saliency_head')),
    test_cfg=dict(
        saliency_dtype='float16',
        post_processor=dict(
            type='PostProcessor',
            steps=dict(
                clamp=dict(type='ClampMoments'),
                round=dict(type='RoundMoments'),
                length=dict(type='LimitLengths'),
                clamp_again=dict(type='ClampMoments'),
            ),
        ),
    ),
)
