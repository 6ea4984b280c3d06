# SPDX-License-Identifier: Apache-2.0
"""Ablation of VideoLights-B (Table V, row 8): of its losses, hard positives and negatives."""

_base_ = './qvhl_blip.py'

model = dict(
    saliency_head=dict(losses=dict(cosine=None)),
    moment_head=dict(losses=dict(align=None)),
    auxiliary=dict(moment_saliency=None, clip_text=None),
)
# The ablations ran for 150 epochs.
train_cfg = dict(max_epochs=150)
