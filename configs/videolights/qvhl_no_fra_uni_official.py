# SPDX-License-Identifier: Apache-2.0
"""Table V, row 1 as in qvhl_no_fra_uni.py, with the quirks of the released code."""

_base_ = './qvhl_official.py'

model = dict(
    refiner=None,
    fusion=dict(_delete_=True, type='TextToVideoAttention', num_layers=1, mask_layout='tiled'),
)
train_cfg = dict(max_epochs=150)
