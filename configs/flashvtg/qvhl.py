# SPDX-License-Identifier: Apache-2.0
"""FlashVTG on QVHighlights with SlowFast and CLIP features."""

_base_ = [
    '../_base_/models/flashvtg.py',
    '../_base_/benchmarks/qvhighlights_slowfast_clip.py',
    '../_base_/schedules/adamw_200e_constant.py',
    '../_base_/default_runtime.py',
]

# All windows of a query are targets, up to 24.
benchmark = dict(dataset=dict(features=dict(max_text_tokens=40)))
train_dataloader = dict(batch_size=64, dataset=dict(labels=dict(max_windows=None)))
optim_wrapper = dict(optimizer=dict(lr=5e-4, weight_decay=1e-4))
# The released schedule is given the loss for the number of the epoch and so never drops the lr.
train_cfg = dict(max_epochs=150, val_interval=1)
randomness = dict(seed=2024)
