# SPDX-License-Identifier: Apache-2.0
"""SG-DETR, first row of its ablation: decoder, local saliency head, plain cross-attention."""

_base_ = './qvhl_ablation_b.py'

model = dict(fusion=dict(gate=False))
