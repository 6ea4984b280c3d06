# SPDX-License-Identifier: Apache-2.0
"""LA-DETR (Park et al., arXiv 2412.20816) on QD-DETR: one group of queries per class of lengths."""

_base_ = './qd_detr.py'

model = dict(
    moment_head=dict(
        queries=dict(
            _delete_=True,
            type='GroupedQueries',
            lengths=(13.8, 32.0, 55.0, 150.0),
            source=dict(type='LearnedQueries', num_queries=10, content_std=None),
        ),
    ),
)
