# SPDX-License-Identifier: Apache-2.0
"""TaskWeave on CASTELLA: castella.py, started from the training on Clotho-Moment."""

_base_ = './castella.py'

load_from = 'checkpoints/taskweave_clotho_moment.pth'
weights_from = 'tools/train.py configs/taskweave/clotho_moment.py'
