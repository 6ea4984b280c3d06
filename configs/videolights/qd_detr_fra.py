# SPDX-License-Identifier: Apache-2.0
"""QD-DETR with VideoLights' feature refinement (Table VII)."""

_base_ = '../qd_detr/qvhl.py'

model = dict(
    refiner=dict(type='FeatureRefinement'),
    # The clips of the negative pass stay refined with the matching text, as VideoLights' do.
    negatives=dict(keep=('video',)),
)
