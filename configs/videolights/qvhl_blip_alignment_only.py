# SPDX-License-Identifier: Apache-2.0
"""Ablation of VideoLights-B (Table V, row 11): of its losses, the alignments."""

_base_ = './qvhl_blip.py'

model = dict(
    saliency_head=dict(losses=dict(hard_positive=None, hard_negative=None, cosine=None)),
    auxiliary=dict(moment_saliency=None),
)
# The ablations ran for 150 epochs.
train_cfg = dict(max_epochs=150)
