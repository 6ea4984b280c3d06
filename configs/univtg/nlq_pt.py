# SPDX-License-Identifier: Apache-2.0
"""UniVTG on Ego4D-NLQ: nlq.py, started from its large-scale pre-training."""

_base_ = './nlq.py'

load_from = 'checkpoints/univtg_pretrained.pth'
weights_from = 'tools/convert_checkpoint.py univtg RELEASED'
