# SPDX-License-Identifier: Apache-2.0
"""CG-DETR with adaptive cross-attention as the paper writes it: queries, keys and values are
projected. The released code, and so every published number, has no such layers."""

_base_ = './qvhl.py'

model = dict(fusion=dict(project=True))
