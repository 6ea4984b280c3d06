# SPDX-License-Identifier: Apache-2.0
"""TR-DETR on CASTELLA: castella.py, started from the training on Clotho-Moment."""

_base_ = './castella.py'

load_from = 'checkpoints/tr_detr_clotho_moment.pth'
weights_from = 'tools/train.py configs/tr_detr/clotho_moment.py'
