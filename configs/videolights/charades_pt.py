# SPDX-License-Identifier: Apache-2.0
"""VideoLights-pt on Charades-STA: charades.py, started from the synthetic pre-training."""

_base_ = './charades.py'

load_from = 'checkpoints/videolights_pretrained.pth'
weights_from = 'tools/train.py configs/videolights/pretrain.py'
