# SPDX-License-Identifier: Apache-2.0
"""Ablation of VideoLights (Table V, row 1): no feature refinement, fusion in one direction."""

_base_ = './qvhl.py'

model = dict(
    # Its linear projections do what convolutions of width 1 do.
    refiner=None,
    fusion=dict(_delete_=True, type='TextToVideoAttention', num_layers=1),
)
# The ablations ran for 150 epochs.
train_cfg = dict(max_epochs=150)
