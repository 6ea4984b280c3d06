# SPDX-License-Identifier: Apache-2.0
# CG-DETR with a saliency weight of 4, on scores and on attention: Charades-STA, TACoS and YouTube
# Highlights.
_base_ = '../cg_detr.py'

model = dict(
    fusion=dict(
        losses=dict(
            margin=dict(weight=4.0),
            rank=dict(weight=4.0),
            bce=dict(weight=4.0),
            negative=dict(weight=4.0),
        ),
    ),
    saliency_head=dict(
        losses=dict(
            margin=dict(weight=4.0),
            rank=dict(weight=4.0),
            negative=dict(weight=4.0),
        ),
    ),
)
