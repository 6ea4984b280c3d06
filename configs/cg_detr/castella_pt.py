# SPDX-License-Identifier: Apache-2.0
"""CG-DETR on CASTELLA: castella.py, started from the training on Clotho-Moment."""

_base_ = './castella.py'

load_from = 'checkpoints/cg_detr_clotho_moment.pth'
weights_from = 'tools/train.py configs/cg_detr/clotho_moment.py'
