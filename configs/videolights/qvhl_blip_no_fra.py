# SPDX-License-Identifier: Apache-2.0
"""Ablation of VideoLights-B (Table V, row 4): no feature refinement."""

_base_ = './qvhl_blip.py'

model = dict(
    # Its linear projections do what convolutions of width 1 do.
    refiner=None,
)
# The ablations ran for 150 epochs.
train_cfg = dict(max_epochs=150)
