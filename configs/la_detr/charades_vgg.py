# SPDX-License-Identifier: Apache-2.0
"""LA-DETR on UVCOM, Charades-STA with VGG features, GloVe words and MomentMix."""

_base_ = [
    '../_base_/models/uvcom.py',
    '../_base_/benchmarks/charades_vgg.py',
    '../_base_/schedules/adamw_200e_constant.py',
    '../_base_/runtime_moments.py',
]

model = dict(
    auxiliary=dict(contrast=dict(choose_from=70)),
    moment_head=dict(
        queries=dict(
            _delete_=True,
            type='GroupedQueries',
            lengths=(5.67, 14.0, 1e4),
            source=dict(type='LearnedQueries', num_queries=10, content_std=None),
        ),
    ),
)
_mix = dict(
    type='MomentMix', part_length=10.0, cut_step=1.0, fill_from='moments', temporal='nothing',
    bins=(0, 10, 20, 30, 50, 80), shares=dict(plain=1.0, foreground=1.0, background=1.0),
)  # fmt: skip
train_dataloader = dict(batch_size=8, dataset=dict(augment=_mix))
train_cfg = dict(max_epochs=100)
randomness = dict(seed=2021)
del _mix
