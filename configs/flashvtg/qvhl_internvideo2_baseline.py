# SPDX-License-Identifier: Apache-2.0
"""FlashVTG, Table 8, first row: one level and a plain score."""

_base_ = './qvhl_internvideo2.py'

model = dict(
    neck=dict(strides=(1,)),
    moment_head=dict(num_levels=1, scores=dict(refine=False)),
)
