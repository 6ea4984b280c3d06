# SPDX-License-Identifier: Apache-2.0
"""VideoLights-B-pt on Charades-STA: charades_blip.py, started from the synthetic pre-training."""

_base_ = './charades_blip.py'

load_from = 'checkpoints/videolights_b_pretrained.pth'
weights_from = 'tools/train.py configs/videolights/pretrain_blip.py'
