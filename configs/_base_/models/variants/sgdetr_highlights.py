# SPDX-License-Identifier: Apache-2.0
# SG-DETR where only highlights are rated: the moment heads stay with weights of 0, as in the
# released code, so that pre-trained weights fit. Released runs also give them learned queries
# instead of those of the pyramid; no clip score depends on either.
_base_ = '../sgdetr.py'

model = dict(
    moment_head=dict(
        dense_head=dict(
            losses=dict(
                label=dict(weight=0.0),
                giou=dict(weight=0.0),
                span=dict(weight=0.0),
                centerness=dict(weight=0.0),
            ),
        ),
        query_head=dict(losses=dict(span=None, giou=None, label=None, quality=None)),
    ),
)
