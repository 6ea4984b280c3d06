# SPDX-License-Identifier: Apache-2.0
"""UVCOM on CASTELLA: castella.py, started from the training on Clotho-Moment."""

_base_ = './castella.py'

load_from = 'checkpoints/uvcom_clotho_moment.pth'
weights_from = 'tools/train.py configs/uvcom/clotho_moment.py'
