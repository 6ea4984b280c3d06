# SPDX-License-Identifier: Apache-2.0
"""UniVTG on TVSum with SlowFast and CLIP features from scratch, one model per domain.

Settings for this data are in option files of the released checkpoints only, not in the code:
those of QVHighlights, with the batches of this data and ten times the epochs, which are short.
"""

_base_ = [
    '../_base_/models/variants/univtg_highlights.py',
    '../_base_/benchmarks/tvsum_slowfast_clip.py',
    '../_base_/schedules/adamw_2000e_constant.py',
    '../_base_/runtime_highlights.py',
]

# A clip is foreground where its mean rating exceeds that of the video; the matching clip is one of
# these.
benchmark = dict(
    dataset=dict(
        # Words are normalised, and clips without ratings are cut before positions are counted.
        features=dict(normalize_text=True, unrated_clips='cut_first'),
        labels=dict(saliency=dict(offset='mean', scale=1 / 20, relevant='positive', pair='random')),
    )
)
optim_wrapper = dict(optimizer=dict(lr=1e-4))
randomness = dict(seed=2018)
