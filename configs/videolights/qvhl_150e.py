# SPDX-License-Identifier: Apache-2.0
"""VideoLights with the 150 epochs of its ablations (Table V, row 3)."""

_base_ = './qvhl.py'

train_cfg = dict(max_epochs=150)
