# SPDX-License-Identifier: Apache-2.0
"""VideoLights with the architecture and losses that the paper describes where its code differs.

The published numbers come from the code, that is from qvhl.py.
"""

_base_ = './qvhl.py'

_mean = dict(reduction='mean', shift_by=None)
model = dict(
    # ReLU behind the last block of the projections too.
    video_projector=dict(last_relu=True),
    text_projector=dict(last_relu=True),
    # The map of clips and words, and the product of clips with the sentence.
    refiner=dict(correspondence='map', similarity_by='product', max_words=32),
    # Self-attention instead of a feed-forward network, a norm behind every attention, and learned
    # positions of 75 clips and 32 words.
    fusion=dict(last_stage='self_attention', normalize_words=True, learned_positions=(75, 32)),
    # Raw scores, and means over the batch instead of sums.
    saliency_head=dict(
        losses=dict(
            cosine=_mean, hard_positive=dict(shift_by=None), hard_negative=dict(shift_by=None)
        ),
    ),
    auxiliary=dict(
        moment_saliency=dict(losses=dict(cosine=_mean)),
        clip_text=dict(losses=dict(cosine=dict(reduction='mean'))),
    ),
)
del _mean
