# SPDX-License-Identifier: Apache-2.0
"""TR-DETR with VideoLights' feature refinement in place of its own (Table VII)."""

_base_ = '../tr_detr/qvhl.py'

model = dict(refiner=dict(_delete_=True, type='FeatureRefinement'))
