# SPDX-License-Identifier: Apache-2.0
"""VideoLights-B with the 150 epochs of its ablations (Table V, row 6; Tables VI and VIII)."""

_base_ = './qvhl_blip.py'

train_cfg = dict(max_epochs=150)
