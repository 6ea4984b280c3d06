# SPDX-License-Identifier: Apache-2.0
"""UVCOM on Clotho-Moment (audio) with CLAP features: training for all audio benchmarks.

The settings are those of line/lighthouse.
"""

_base_ = [
    '../_base_/models/uvcom.py',
    '../_base_/benchmarks/clotho_moment_clap.py',
    '../_base_/schedules/adamw_200e_drop100.py',
    '../_base_/default_runtime.py',
]

# Sound and position are projected apart and added; there is no video.
model = dict(video_projector=dict(type='StreamSum', widths=(768, 2)))
train_cfg = dict(val_interval=1)
randomness = dict(seed=2023)
