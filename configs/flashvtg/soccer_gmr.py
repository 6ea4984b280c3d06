# SPDX-License-Identifier: Apache-2.0
"""FlashVTG with an existence head on Soccer-GMR, SlowFast and CLIP features.

The combination is published without code or settings ("Generalized Moment Retrieval", arXiv
2605.02623): those of Moment-DETR there. FlashVTG has no queries, so the head reads its pyramid.
"""

_base_ = [
    '../_base_/models/flashvtg.py',
    '../_base_/benchmarks/soccer_gmr_slowfast_clip.py',
    '../_base_/runtime_generalized.py',
    '../_base_/schedules/adamw_400e_constant.py',
]

model = dict(auxiliary=dict(existence=dict(type='ExistenceHead', source='pyramid')))
randomness = dict(seed=2023)
