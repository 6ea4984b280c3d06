# SPDX-License-Identifier: Apache-2.0
"""LA-DETR on UVCOM, TACoS with SlowFast and CLIP features and MomentMix."""

_base_ = [
    '../_base_/models/uvcom.py',
    '../_base_/benchmarks/tacos_lighthouse.py',
    '../_base_/schedules/adamw_200e_drop100.py',
    '../_base_/default_runtime.py',
]

model = dict(
    auxiliary=dict(contrast=dict(choose_from=70)),
    moment_head=dict(
        queries=dict(
            _delete_=True,
            type='GroupedQueries',
            lengths=(10.25, 19.34, 38.34, 1e7),
            source=dict(type='LearnedQueries', num_queries=10, content_std=None),
        ),
    ),
)
_mix = dict(
    type='MomentMix', part_length=10.0, fill_from='moments', temporal='nothing',
    bins=(0, 10, 30, 50, 70, 90, 110, 130, 150, 200, 300, 500, 700),
    shares=dict(plain=1.0, foreground=1.0, background=1.0),
)  # fmt: skip
benchmark = dict(dataset=dict(features=dict(max_text_tokens=32)))
train_dataloader = dict(batch_size=16, dataset=dict(augment=_mix))
randomness = dict(seed=2023)
del _mix
