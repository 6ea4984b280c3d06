# SPDX-License-Identifier: Apache-2.0
"""Table V, row 11 as in qvhl_blip_alignment_only.py, with the quirks of the released code."""

_base_ = './qvhl_blip_official.py'

model = dict(
    saliency_head=dict(losses=dict(hard_positive=None, hard_negative=None, cosine=None)),
    auxiliary=dict(moment_saliency=None),
)
train_cfg = dict(max_epochs=150)
