# SPDX-License-Identifier: Apache-2.0
"""VideoLights-B on TVSum: BLIP-2 clip features beside SlowFast and CLIP, one model per domain.

The released scripts do not run with BLIP-2 words, so the words are those of CLIP alone.
"""

_base_ = [
    '../_base_/models/variants/videolights_highlights.py',
    '../_base_/benchmarks/tvsum_slowfast_clip_blip.py',
    '../_base_/schedules/adamw_2000e_constant.py',
    '../_base_/runtime_highlights.py',
]

randomness = dict(seed=2018)
