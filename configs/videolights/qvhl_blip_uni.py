# SPDX-License-Identifier: Apache-2.0
"""Ablation of VideoLights-B (Table V, row 5; Table VI): fusion in one direction."""

_base_ = './qvhl_blip.py'

model = dict(
    fusion=dict(_delete_=True, type='TextToVideoAttention', num_layers=1),
)
# The ablations ran for 150 epochs.
train_cfg = dict(max_epochs=150)
