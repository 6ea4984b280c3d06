# SPDX-License-Identifier: Apache-2.0
# AdamW with gradients clipped to norm 0.1, as in SG-DETR's released code.
optim_wrapper = dict(
    type='GroundingOptimWrapper',
    optimizer=dict(type='AdamW', lr=5e-4, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1),
    clip_grad=dict(max_norm=0.1),
)
