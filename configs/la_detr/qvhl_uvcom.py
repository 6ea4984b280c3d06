# SPDX-License-Identifier: Apache-2.0
"""LA-DETR on UVCOM, QVHighlights with SlowFast and CLIP features and MomentMix."""

_base_ = '../uvcom/qvhl.py'

_source = dict(_delete_=True, type='GroupedQueries', lengths=(13.4, 31.5, 75.0, 150.0))
_queries = dict(**_source, source=dict(type='LearnedQueries', num_queries=10, content_std=None))
model = dict(moment_head=dict(queries=_queries))
randomness = dict(seed=2027)
del _source, _queries
train_dataloader = dict(dataset=dict(augment=dict(type='MomentMix', part_length=5.0)))
