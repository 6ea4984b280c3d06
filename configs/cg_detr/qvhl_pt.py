# SPDX-License-Identifier: Apache-2.0
"""CG-DETR on QVHighlights, fine-tuned from weights pre-trained on captions of the same videos.

The pre-training (weak labels from automatic captions) is not part of the toolbox; its released
weights are converted with tools/convert_checkpoint.py.
"""

_base_ = './qvhl.py'

benchmark = dict(dataset=dict(features=dict(max_text_tokens=75)))
load_from = 'checkpoints/cg_detr_pretrained.pth'
weights_from = 'tools/convert_checkpoint.py cg_detr RELEASED'
