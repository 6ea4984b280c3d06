# SPDX-License-Identifier: Apache-2.0
"""UVCOM on YouTube Highlights with CLIP and SlowFast features, one model per domain.

The authors released no settings for this data: those of line/lighthouse for its relatives.
"""

_base_ = [
    '../_base_/models/uvcom.py',
    '../_base_/benchmarks/youtube_slowfast_clip.py',
    '../_base_/schedules/adamw_2000e_constant.py',
    '../_base_/runtime_highlights.py',
]

# Only highlights are rated.
model = dict(
    moment_head=None,
    # No clips are to be found: the labels have no moments.
    auxiliary=dict(contrast=dict(moment='truncated_first')),
    loss_balancer=dict(type='FixedBalancer', weights=dict(saliency=4.0)),
)
optim_wrapper = dict(optimizer=dict(lr=2e-4))
train_cfg = dict(max_epochs=1000, val_interval=1)
randomness = dict(seed=2018)
