# SPDX-License-Identifier: Apache-2.0
"""TR-DETR with every documented quirk of the released code, for loading its weights.

Each value below restores one behaviour; the defaults of qvhl.py are what was meant.
"""

_base_ = './qvhl.py'

model = dict(
    # Clips lose the words that are padding in another sample of the batch.
    fusion=dict(mask_layout='tiled'),
    feedback=dict(
        # The weights of the clips are a softmax over padded clips too.
        highlights=dict(softmax_over='padded'),
        # The best moment is measured in clips of the longest video of the batch.
        moments=dict(length='padded'),
    ),
    auxiliary=dict(
        # Padded clips count, each with a loss of ln 2.
        local_alignment=dict(average_over='padded'),
        # Means of clips and words run over padding.
        global_alignment=dict(average_over='padded'),
    ),
    moment_head=dict(
        # The width modulation divides by widths of any size.
        decoder=dict(positions=dict(min_width=0.0)),
        # The overlap of two moments without length is not a number.
        matcher=dict(costs=dict(giou=dict(eps=0.0))),
        losses=dict(giou=dict(eps=0.0)),
        # Only the post-processing cuts moments, to 150 s whatever the duration.
        ranking=dict(clamp=False),
    ),
)
