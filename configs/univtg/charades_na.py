# SPDX-License-Identifier: Apache-2.0
"""UniVTG that rejects queries, on NA-VMR's Charades-STA, with the settings of UniVTG-NA."""

_base_ = [
    '../_base_/models/univtg.py',
    '../_base_/benchmarks/na_vmr_charades_slowfast_clip.py',
    '../_base_/schedules/adamw_200e_drop80.py',
    '../_base_/default_runtime.py',
]

# As in charades.py.
benchmark = dict(
    dataset=dict(
        features=dict(max_text_tokens=None),
        labels=dict(saliency=dict(clip_from='clip_length', rounding='nearest')),
    )
)
model = dict(
    saliency_head=dict(losses=dict(inter=dict(weight=0.5), intra=dict(weight=1.0))),
    auxiliary=dict(existence=dict(type='ExistenceHead')),
)
optim_wrapper = dict(optimizer=dict(weight_decay=1e-5))
train_cfg = dict(max_epochs=100, val_interval=1)
default_hooks = dict(checkpoint=dict(save_best='MR-full-R1@0.3'))
# The lr stays as it is after the warm-up.
param_scheduler = [dict(type='LinearLR', start_factor=0.1, by_epoch=True, begin=0, end=10)]
randomness = dict(seed=2018)
