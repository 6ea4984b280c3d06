# SPDX-License-Identifier: Apache-2.0
# SG-DETR where only highlights are rated: the moment heads stay with weights of 0, as in the
# released code, so that pre-trained weights fit. Released runs also give them learned queries
# instead of those of the pyramid; no clip score depends on either.
_base_ = '../sgdetr.py'

model = dict(
    moment_head=dict(
        dense_head=dict(loss_weights=dict(label=0.0, giou=0.0, span=0.0, centerness=0.0)),
        query_head=dict(
            loss=dict(weights=dict(span=0.0, giou=0.0, label=0.0, quality=0.0)),
        ),
    ),
)
