# SPDX-License-Identifier: Apache-2.0
"""VideoLights started from a pre-training on speech transcripts (corpus comparison of Table V)."""

_base_ = './qvhl.py'

load_from = 'checkpoints/videolights_pretrained_asr.pth'
weights_from = 'tools/train.py configs/videolights/pretrain_asr.py'
