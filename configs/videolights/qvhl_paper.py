# SPDX-License-Identifier: Apache-2.0
"""VideoLights with the architecture and losses that the paper describes where its code differs.

The published numbers come from the code, that is from qvhl.py.
"""

_base_ = './qvhl.py'

model = dict(
    # ReLU behind the last block of the projections too.
    video_projector=dict(last_relu=True),
    text_projector=dict(last_relu=True),
    # Self-attention instead of a feed-forward network, and a norm behind every attention.
    fusion=dict(last_stage='self_attention', normalize_words=True),
    # Means over the batch instead of sums.
    saliency_head=dict(losses=dict(cosine=dict(reduction='mean'))),
    auxiliary=dict(
        moment_saliency=dict(losses=dict(cosine=dict(reduction='mean'))),
        clip_text=dict(losses=dict(cosine=dict(reduction='mean'))),
    ),
)
