# SPDX-License-Identifier: Apache-2.0
"""VideoLights-pt on TVSum: tvsum.py with full hard losses, started from the pre-training."""

_base_ = './tvsum.py'

model = dict(
    saliency_head=dict(losses=dict(hard_positive=dict(coef=10.0), hard_negative=dict(coef=10.0))),
)
load_from = 'checkpoints/videolights_pretrained.pth'
weights_from = 'tools/train.py configs/videolights/pretrain.py'
