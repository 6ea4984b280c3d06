# SPDX-License-Identifier: Apache-2.0
"""UniVTG on Charades-STA, trained from scratch with SlowFast and CLIP features.

Settings for this data are in option files of the released checkpoints only, not in the code:
those of QVHighlights, with the clip length of this data. The best epoch is chosen by R1@0.3, as in
the script for several data sets.
"""

_base_ = [
    '../_base_/models/univtg.py',
    '../_base_/benchmarks/charades_slowfast_clip.py',
    '../_base_/schedules/adamw_200e_drop80.py',
    '../_base_/default_runtime.py',
]

# All words enter; clips are labelled by their centres.
benchmark = dict(
    dataset=dict(
        features=dict(max_text_tokens=None),
        labels=dict(saliency=dict(clip_from='clip_length', rounding='nearest')),
    )
)
default_hooks = dict(checkpoint=dict(save_best='MR-full-R1@0.3'))
randomness = dict(seed=2018)
