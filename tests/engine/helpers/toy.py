# SPDX-License-Identifier: Apache-2.0
# A run of the toy model on the runtime that every real config uses.
_base_ = ['../../../configs/_base_/default_runtime.py']

custom_imports = dict(imports=['vtg_toy'], allow_failed_imports=False)

model = dict(type='ToyModel')
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='ToyDataset'),
    collate_fn=dict(type='vtg.toy_collate'),
)
val_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='ToyDataset'),
    collate_fn=dict(type='vtg.toy_collate'),
)
val_evaluator = dict(type='ToyMetric')
test_dataloader = val_dataloader
test_evaluator = val_evaluator

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=3, val_interval=1)
optim_wrapper = dict(
    type='GroundingOptimWrapper',
    optimizer=dict(type='AdamW', lr=0.01),
    clip_grad=dict(max_norm=0.1),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=6),
    dict(type='MultiStepLR', milestones=[2], gamma=0.1, by_epoch=True, begin=0, end=10**9),
]
default_hooks = dict(
    checkpoint=dict(save_best='score'),
    runtime_info=dict(interval=2),
    logger=dict(interval=2),
    ema=dict(type='EMAHook', momentum=0.1, strict_load=True),
)
report_after_training = False
