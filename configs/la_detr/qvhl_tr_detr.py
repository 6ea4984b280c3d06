# SPDX-License-Identifier: Apache-2.0
"""LA-DETR on TR-DETR, QVHighlights with SlowFast and CLIP features and MomentMix."""

_base_ = '../tr_detr/qvhl.py'

_source = dict(_delete_=True, type='GroupedQueries', lengths=(13.8, 31.0, 75.0, 150.0))
_queries = dict(**_source, source=_base_.model.moment_head.queries)
model = dict(moment_head=dict(queries=_queries))
randomness = dict(seed=2027)
del _source, _queries
train_dataloader = dict(dataset=dict(augment=dict(type='MomentMix', part_length=5.0)))
