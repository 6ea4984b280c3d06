# SPDX-License-Identifier: Apache-2.0
"""SG-DETR on TVSum, fine-tuned from weights that were pre-trained on InterVid-MR.

The published runs started from 120 thousand pre-training samples.
"""

_base_ = './tvsum.py'

load_from = 'checkpoints/sgdetr_pretrained.pth'
weights_from = 'tools/train.py configs/sgdetr/pretrain_intervidmr.py'
randomness = dict(seed=45)
