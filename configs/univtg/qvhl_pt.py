# SPDX-License-Identifier: Apache-2.0
"""UniVTG fine-tuned on QVHighlights: the same settings, started from its large-scale pre-training.

Convert the released pre-training checkpoint first:
``python tools/convert_checkpoint.py univtg PRETRAINED checkpoints/univtg_pretrained.pth``.
"""

_base_ = './qvhl.py'

load_from = 'checkpoints/univtg_pretrained.pth'
weights_from = 'tools/convert_checkpoint.py univtg RELEASED'
