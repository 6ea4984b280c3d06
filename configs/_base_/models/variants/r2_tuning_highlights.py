# SPDX-License-Identifier: Apache-2.0
# R2-Tuning where only highlights are rated: one level, whose scores are trained with the labels and
# are the saliency, and no offsets.
_base_ = '../r2_tuning.py'

model = dict(
    neck=dict(strides=(1,)),
    moment_head=dict(
        num_levels=1,
        losses=dict(label=dict(_delete_=True, type='ClipLabelLoss', weight=1.0), span=None),
    ),
    saliency_head=dict(cosine=False),
    auxiliary=dict(nce=dict(across=False)),
)
