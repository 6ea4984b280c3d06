# SPDX-License-Identifier: Apache-2.0
"""Table V, row 5 as in qvhl_blip_uni.py, with the quirks of the released code."""

_base_ = './qvhl_blip_official.py'

model = dict(
    fusion=dict(_delete_=True, type='TextToVideoAttention', num_layers=1, mask_layout='tiled'),
)
train_cfg = dict(max_epochs=150)
