# SPDX-License-Identifier: Apache-2.0
"""SG-DETR with the denoising queries of the paper, which the released configs leave out."""

_base_ = './qvhl.py'

model = dict(moment_head=dict(query_head=dict(denoising=dict(type='DenoisingGenerator'))))
