# SPDX-License-Identifier: Apache-2.0
"""EaTR on CASTELLA: castella.py, started from the training on Clotho-Moment."""

_base_ = './castella.py'

load_from = 'checkpoints/eatr_clotho_moment.pth'
weights_from = 'tools/train.py configs/eatr/clotho_moment.py'
