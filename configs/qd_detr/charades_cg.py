# SPDX-License-Identifier: Apache-2.0
"""QD-DETR on Charades-CG, tested on novel_composition: pairs of words unseen in training.

A baseline without published numbers; batch and lr are those of MESM on this data.
"""

_base_ = [
    '../_base_/models/qd_detr.py',
    '../_base_/benchmarks/charades_cg_slowfast_clip.py',
    '../_base_/schedules/adamw_200e_constant.py',
    '../_base_/runtime_moments.py',
]

train_dataloader = dict(batch_size=12)
optim_wrapper = dict(optimizer=dict(lr=2e-4))
train_cfg = dict(val_interval=1)
