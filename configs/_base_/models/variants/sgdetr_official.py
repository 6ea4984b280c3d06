# SPDX-License-Identifier: Apache-2.0
"""SG-DETR with every documented quirk of the released code that the model has."""

_base_ = '../sgdetr.py'

# A single sample without a true negative pair in its batch drops out of the rank loss.
_rank = dict(losses=dict(rank=dict(min_alone=2)))

model = dict(
    local_saliency_head=_rank,
    saliency_head=_rank,
    # Convolutions of the pyramid read whatever the padded clips hold.
    neck=dict(mask_padding=False),
    auxiliary=dict(
        # The clip classification divides by padded clips too.
        alignment=dict(average_over='padded'),
    ),
    moment_head=dict(
        dense_head=dict(
            # Padded cells are read by the towers, trained as background and predicted.
            mask_padding=False,
            # Anchors count in units of 2 s whatever the clip length.
            unit_seconds=2.0,
            # Moments lose the fraction of a second, and to rounding often a whole one.
            truncate_targets=True,
            # Decoded moments may end before they start.
            clamp_length=False,
        ),
        query_head=dict(
            # Cells at the border fill up the queries of very short videos.
            queries=dict(use_ineligible=True),
            # The width modulation divides by widths of any size.
            decoder=dict(positions=dict(min_width=0.0)),
            # The overlap of two moments without length is not a number.
            matcher=dict(costs=dict(giou=dict(eps=0.0))),
            losses=dict(giou=dict(eps=0.0)),
            extras=dict(denoising=dict(sees_unused=True)),
            # The list is sorted by class probability but reports the combined score.
            ranking=dict(by='class', digits=4),
        ),
    ),
    # Windows stretched to the minimal length may leave the video.
    test_cfg=dict(post_processor=dict(steps=dict(clamp_again=None))),
)
del _rank
