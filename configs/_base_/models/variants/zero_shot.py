# SPDX-License-Identifier: Apache-2.0
"""Zero-shot grounding: cosine of clip and sentence in the space of an image-text model, and moments
out of that curve. Nothing is learnt, so there is nothing to train and no checkpoint.
"""

model = dict(
    type='Grounder',
    video_projector=None,
    text_projector=None,
    saliency_head=dict(type='FeatureCosineSaliencyHead'),
    moment_head=dict(type='SaliencyCurveHead'),
    test_cfg=dict(
        post_processor=dict(
            type='PostProcessor',
            steps=dict(
                clamp=dict(type='ClampMoments'),
                nms=dict(type='TemporalNMS', iou_threshold=0.7, max_before=100, max_after=10),
            ),
        ),
    ),
)
