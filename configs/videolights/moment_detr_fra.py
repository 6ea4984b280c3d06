# SPDX-License-Identifier: Apache-2.0
"""Moment-DETR with VideoLights' feature refinement (Table VII)."""

_base_ = '../moment_detr/qvhl.py'

model = dict(refiner=dict(type='FeatureRefinement'))
