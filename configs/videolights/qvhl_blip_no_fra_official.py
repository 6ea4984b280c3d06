# SPDX-License-Identifier: Apache-2.0
"""Table V, row 4 as in qvhl_blip_no_fra.py, with the quirks of the released code."""

_base_ = './qvhl_blip_official.py'

model = dict(
    refiner=None,
)
train_cfg = dict(max_epochs=150)
