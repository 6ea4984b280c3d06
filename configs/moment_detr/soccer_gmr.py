# SPDX-License-Identifier: Apache-2.0
"""Moment-DETR with an existence head on Soccer-GMR, SlowFast and CLIP features.

"Generalized Moment Retrieval" (arXiv 2605.02623). There are no graded highlights and the released
code trains no saliency, so there is no saliency head.
"""

_base_ = [
    '../_base_/models/moment_detr.py',
    '../_base_/benchmarks/soccer_gmr_slowfast_clip.py',
    '../_base_/runtime_generalized.py',
    '../_base_/schedules/adamw_400e_constant.py',
]

model = dict(
    saliency_head=None,
    auxiliary=dict(existence=dict(type='ExistenceHead', source='queries')),
    test_cfg=dict(saliency_dtype=None),
)
randomness = dict(seed=2023)
