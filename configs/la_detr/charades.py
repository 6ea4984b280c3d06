# SPDX-License-Identifier: Apache-2.0
"""LA-DETR on UVCOM, Charades-STA with SlowFast and CLIP features and MomentMix."""

_base_ = '../uvcom/charades.py'

_source = dict(_delete_=True, type='GroupedQueries', lengths=(5.67, 14.0, 1e4))
_queries = dict(**_source, source=dict(type='LearnedQueries', num_queries=10, content_std=None))
model = dict(moment_head=dict(queries=_queries))
# All of a video, unlike UVCOM.
benchmark = dict(dataset=dict(features=dict(max_video_clips=None)))
train_cfg = dict(max_epochs=150)
_mix = dict(
    type='MomentMix', part_length=10.0, fill_from='moments', temporal='nothing',
    bins=(0, 10, 20, 30, 50, 80), shares=dict(plain=1.0, foreground=1.0, background=1.0),
)  # fmt: skip
train_dataloader = dict(dataset=dict(augment=_mix))
randomness = dict(seed=2026)
del _source, _queries, _mix
