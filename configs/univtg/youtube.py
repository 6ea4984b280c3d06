# SPDX-License-Identifier: Apache-2.0
"""UniVTG on YouTube Highlights with SlowFast and CLIP features from scratch, one model per domain.

Settings for this data are in option files of the released checkpoints only, not in the code:
those of QVHighlights, with the batches of this data and ten times the epochs, which are short.
"""

_base_ = [
    '../_base_/models/variants/univtg_highlights.py',
    '../_base_/benchmarks/youtube_slowfast_clip.py',
    '../_base_/schedules/adamw_2000e_constant.py',
    '../_base_/runtime_highlights.py',
]

# SlowFast first, as in the pre-training; the matching clip is a random highlight.
benchmark = dict(
    dataset=dict(
        # Words are normalised, and clips without ratings are cut before positions are counted.
        features=dict(normalize_text=True, unrated_clips='cut_first'),
        labels=dict(saliency=dict(pair='random')),
    ),
    video=_base_.benchmark.video[::-1],
)
optim_wrapper = dict(optimizer=dict(lr=1e-4))
randomness = dict(seed=2018)
