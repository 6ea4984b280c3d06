# SPDX-License-Identifier: Apache-2.0
"""Ablation of SG-DETR: the local saliency is the final one."""

_base_ = './qvhl.py'

# The local saliency head keeps its losses; the global one had the same.
model = dict(saliency_head=dict(_delete_=True, type='LocalSaliency'))
