# SPDX-License-Identifier: Apache-2.0
"""Ablation of VideoLights-B (Table V, row 9): of its losses, the task-coupled one."""

_base_ = './qvhl_blip.py'

model = dict(
    saliency_head=dict(losses=dict(hard_positive=None, hard_negative=None, cosine=None)),
    moment_head=dict(losses=dict(align=None)),
    auxiliary=dict(clip_text=None),
)
# The ablations ran for 150 epochs.
train_cfg = dict(max_epochs=150)
