# SPDX-License-Identifier: Apache-2.0
"""Length-aware queries on SG-DETR; not in the paper."""

_base_ = '../sgdetr/qvhl.py'

_source = dict(_delete_=True, type='GroupedQueries', lengths=(13.8, 32.0, 55.0, 150.0))
_queries = dict(**_source, source=_base_.model.moment_head.query_head.queries)
model = dict(moment_head=dict(query_head=dict(queries=_queries)))
del _source, _queries
