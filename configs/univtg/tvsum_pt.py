# SPDX-License-Identifier: Apache-2.0
"""UniVTG on TVSum: tvsum.py, started from its large-scale pre-training."""

_base_ = './tvsum.py'

load_from = 'checkpoints/univtg_pretrained.pth'
weights_from = 'tools/convert_checkpoint.py univtg RELEASED'
