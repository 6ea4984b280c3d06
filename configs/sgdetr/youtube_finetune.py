# SPDX-License-Identifier: Apache-2.0
"""SG-DETR on YouTube Highlights, fine-tuned from weights that were pre-trained on InterVid-MR.

The published runs started from 120 thousand pre-training samples.
"""

_base_ = './youtube.py'

load_from = 'checkpoints/sgdetr_pretrained.pth'
weights_from = 'tools/train.py configs/sgdetr/pretrain_intervidmr.py'
optim_wrapper = dict(optimizer=dict(lr=1e-5))
# lr 5e-6 to 1e-5 over 5 epochs, halved at 14 and 22.
param_scheduler = [
    dict(type='LinearLR', start_factor=0.5, by_epoch=True, begin=0, end=6),
    dict(type='MultiStepLR', milestones=[14, 22], gamma=0.5, by_epoch=True, begin=0, end=10**9),
]
randomness = dict(seed=45)
