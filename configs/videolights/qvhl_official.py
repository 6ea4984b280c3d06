# SPDX-License-Identifier: Apache-2.0
"""VideoLights with every documented quirk of the released code, for loading its weights.

Each value below restores one behaviour; the defaults of qvhl.py are what was meant.
"""

_base_ = './qvhl.py'

model = dict(
    # Padded clips are refined with a similarity of -103 and stay in the batch.
    refiner=dict(mask_padding=False),
    # Clips and words lose each other where another sample of the batch is padded.
    fusion=dict(mask_layout='tiled'),
    saliency_head=dict(
        losses=dict(
            # Scores are shifted by the lowest of the batch, and padded clips enter the norms.
            cosine=dict(shift_by='batch'),
            hard_positive=dict(shift_by='batch'),
            hard_negative=dict(shift_by='batch'),
        ),
    ),
    auxiliary=dict(
        moment_saliency=dict(
            # The best moment is measured in clips of the longest video of the batch.
            length='padded',
            losses=dict(cosine=dict(shift_by='batch')),
        ),
        # The mean word counts padding.
        clip_text=dict(average_over='padded', losses=dict(cosine=dict(shift_by='batch'))),
    ),
    moment_head=dict(
        # The width modulation divides by widths of any size.
        decoder=dict(positions=dict(min_width=0.0)),
        # The overlap of two moments without length is not a number.
        matcher=dict(costs=dict(giou=dict(eps=0.0))),
        # Padded words enter the query-text alignment.
        losses=dict(giou=dict(eps=0.0), align=dict(mask_padding=False)),
        # Only the post-processing cuts moments, to 150 s whatever the duration.
        ranking=dict(clamp=False),
    ),
    # Two queries of one video, or one query twice, still count as a negative pair.
    negatives=dict(same_source=True),
)
