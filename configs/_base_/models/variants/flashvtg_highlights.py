# SPDX-License-Identifier: Apache-2.0
# FlashVTG where only highlights are rated: one level, whose scores are trained with the labels
# themselves (up to 12 on TVSum), and no offsets.
_base_ = '../flashvtg.py'

model = dict(
    fusion=dict(num_layers=2),
    neck=dict(strides=(1,)),
    moment_head=dict(
        num_levels=1,
        losses=dict(label=dict(_delete_=True, type='ClipLabelLoss', weight=5.0), span=None),
    ),
    auxiliary=dict(nce=dict(across=False)),
)
