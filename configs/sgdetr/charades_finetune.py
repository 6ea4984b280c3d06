# SPDX-License-Identifier: Apache-2.0
"""SG-DETR on Charades-STA, fine-tuned from weights that were pre-trained on InterVid-MR.

The published runs started from 120 thousand pre-training samples.
"""

_base_ = './charades.py'

load_from = 'checkpoints/sgdetr_pretrained.pth'
weights_from = 'tools/train.py configs/sgdetr/pretrain_intervidmr.py'
train_cfg = dict(max_epochs=30)
# lr 5e-6 to 5e-4 over 5 epochs, halved at 8 and 12.
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=True, begin=0, end=6),
    dict(type='MultiStepLR', milestones=[8, 12], gamma=0.5, by_epoch=True, begin=0, end=10**9),
]
randomness = dict(seed=42)
