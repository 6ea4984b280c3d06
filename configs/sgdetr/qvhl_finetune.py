# SPDX-License-Identifier: Apache-2.0
"""SG-DETR on QVHighlights, fine-tuned from weights that were pre-trained on InterVid-MR.

The weight decay is lower than from scratch except for the local saliency head, as in the released
code.
"""

_base_ = [
    '../_base_/models/sgdetr.py',
    '../_base_/benchmarks/qvhighlights_internvideo2.py',
    '../_base_/schedules/adamw_50e_finetune.py',
    '../_base_/default_runtime.py',
]

load_from = 'checkpoints/sgdetr_pretrained.pth'
weights_from = 'tools/train.py configs/sgdetr/pretrain_intervidmr.py'
train_dataloader = dict(batch_size=128)
randomness = dict(seed=42)
