# SPDX-License-Identifier: Apache-2.0
"""CausalVTG on QVHighlights with CLIP and SlowFast features, in the order of released weights."""

_base_ = [
    '../_base_/models/causalvtg.py',
    '../_base_/benchmarks/qvhighlights_slowfast_clip.py',
    '../_base_/schedules/adamw_200e_drop80.py',
    '../_base_/default_runtime.py',
]

benchmark = dict(
    video=_base_.benchmark.video[::-1],
    dataset=dict(
        features=dict(max_text_tokens=None),
        labels=dict(
            saliency=dict(type='AnnotatorSum', easy='rated'),
            max_windows=None,
            cut_windows=True,
            min_clips=1.0,
        ),
    ),
)
train_dataloader = dict(batch_size=64)
optim_wrapper = dict(optimizer=dict(lr=1.25e-4, weight_decay=1e-4), clip_grad=dict(max_norm=35.0))
# 50 epochs of four passes each, a tenth of the rate after 30.
train_cfg = dict(max_epochs=200, val_interval=4)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', milestones=[120], gamma=0.1, by_epoch=True, begin=0, end=10**9),
]
