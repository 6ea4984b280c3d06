# SPDX-License-Identifier: Apache-2.0
"""LA-DETR with every documented quirk of the released code, those of QD-DETR but for one: moments
are cut to the video."""

_base_ = './qvhl.py'

model = dict(
    fusion=dict(mask_layout='tiled'),
    moment_head=dict(
        decoder=dict(positions=dict(min_width=0.0)),
        matcher=dict(costs=dict(giou=dict(eps=0.0))),
        losses=dict(giou=dict(eps=0.0)),
    ),
    negatives=dict(same_source=True),
)
train_dataloader = dict(
    dataset=dict(features=dict(normalize_mixed=False), augment=dict(as_released=True))
)
