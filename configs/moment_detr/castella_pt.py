# SPDX-License-Identifier: Apache-2.0
"""Moment-DETR on CASTELLA: castella.py, started from the training on Clotho-Moment."""

_base_ = './castella.py'

load_from = 'checkpoints/moment_detr_clotho_moment.pth'
weights_from = 'tools/train.py configs/moment_detr/clotho_moment.py'
