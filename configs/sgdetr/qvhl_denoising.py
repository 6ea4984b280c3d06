# SPDX-License-Identifier: Apache-2.0
"""SG-DETR with the denoising queries of the paper, which the released configs leave out."""

_base_ = './qvhl.py'

_denoising = dict(generator=dict(type='DenoisingGenerator'))
model = dict(moment_head=dict(query_head=dict(extras=dict(denoising=_denoising))))
del _denoising
