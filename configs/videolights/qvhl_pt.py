# SPDX-License-Identifier: Apache-2.0
"""VideoLights-pt: the settings of qvhl.py, started from the synthetic pre-training."""

_base_ = './qvhl.py'

load_from = 'checkpoints/videolights_pretrained.pth'
weights_from = 'tools/train.py configs/videolights/pretrain.py'
