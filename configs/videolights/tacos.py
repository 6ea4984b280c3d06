# SPDX-License-Identifier: Apache-2.0
"""VideoLights on TACoS with SlowFast and CLIP features.

Only a later revision of the paper reports this data and its settings were not released: those of
Charades-STA with clips of 2 s, as a start.
"""

_base_ = [
    '../_base_/models/videolights.py',
    '../_base_/benchmarks/tacos_slowfast_clip.py',
    '../_base_/schedules/adamw_200e_constant.py',
    '../_base_/runtime_moments.py',
]

model = dict(
    moment_head=dict(losses=dict(align=dict(weight=0.3))),
    auxiliary=dict(clip_text=dict(losses=dict(cosine=dict(weight=0.3)))),
)
train_cfg = dict(max_epochs=100)
randomness = dict(seed=2018)
