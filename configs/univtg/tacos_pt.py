# SPDX-License-Identifier: Apache-2.0
"""UniVTG on TACoS: tacos.py, started from its large-scale pre-training."""

_base_ = './tacos.py'

load_from = 'checkpoints/univtg_pretrained.pth'
weights_from = 'tools/convert_checkpoint.py univtg RELEASED'
