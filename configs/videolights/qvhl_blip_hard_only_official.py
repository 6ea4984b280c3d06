# SPDX-License-Identifier: Apache-2.0
"""Table V, row 8 as in qvhl_blip_hard_only.py, with the quirks of the released code."""

_base_ = './qvhl_blip_official.py'

model = dict(
    saliency_head=dict(losses=dict(cosine=None)),
    moment_head=dict(losses=dict(align=None)),
    auxiliary=dict(moment_saliency=None, clip_text=None),
)
train_cfg = dict(max_epochs=150)
