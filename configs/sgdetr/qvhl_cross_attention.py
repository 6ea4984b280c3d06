# SPDX-License-Identifier: Apache-2.0
"""Ablation of SG-DETR: plain cross-attention instead of the saliency-guided one."""

_base_ = './qvhl.py'

model = dict(fusion=dict(gate=False))
