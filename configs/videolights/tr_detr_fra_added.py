# SPDX-License-Identifier: Apache-2.0
"""TR-DETR with VideoLights' feature refinement in front of its own (Table VII, read otherwise)."""

_base_ = '../tr_detr/qvhl.py'

model = dict(
    refiner=dict(_delete_=True, fra=dict(type='FeatureRefinement'), own=_base_.model.refiner)
)
