# SPDX-License-Identifier: Apache-2.0
"""UniVTG on Ego4D-NLQ, trained from scratch with SlowFast and CLIP features.

Settings for this data are in option files of the released checkpoints only, not in the code:
those of QVHighlights.
"""

_base_ = [
    '../_base_/models/univtg.py',
    '../_base_/benchmarks/nlq_slowfast_clip.py',
    '../_base_/schedules/adamw_200e_drop80.py',
    '../_base_/runtime_moments.py',
]

randomness = dict(seed=2018)
