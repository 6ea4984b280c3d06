# SPDX-License-Identifier: Apache-2.0
"""LA-DETR on UVCOM, TACoS with SlowFast and CLIP features and MomentMix.

What the authors state no value of is as in configs/uvcom/tacos.py.
"""

_base_ = '../uvcom/tacos.py'

_source = dict(_delete_=True, type='GroupedQueries', lengths=(10.25, 19.34, 38.34, 1e7))
_queries = dict(**_source, source=dict(type='LearnedQueries', num_queries=10, content_std=None))
model = dict(moment_head=dict(queries=_queries), auxiliary=dict(contrast=dict(choose_from=70)))
_mix = dict(
    type='MomentMix', part_length=10.0, fill_from='moments', temporal='nothing',
    bins=(0, 10, 30, 50, 70, 90, 110, 130, 150, 200, 300, 500, 700),
    shares=dict(plain=1.0, foreground=1.0, background=1.0),
)  # fmt: skip
train_dataloader = dict(batch_size=16, dataset=dict(augment=_mix))
randomness = dict(seed=2023)
del _source, _queries, _mix
