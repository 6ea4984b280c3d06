# SPDX-License-Identifier: Apache-2.0
"""UMT on QVHighlights, fine-tuned from weights pre-trained on captions of the same videos.

The pre-training (weak labels from automatic captions) is not part of the toolbox; its released
weights are converted with tools/convert_checkpoint.py.
"""

_base_ = './qvhl.py'

load_from = 'checkpoints/umt_pretrained.pth'
weights_from = 'tools/convert_checkpoint.py umt RELEASED'
