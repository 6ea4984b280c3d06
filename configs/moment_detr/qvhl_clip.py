# SPDX-License-Identifier: Apache-2.0
"""Moment-DETR on QVHighlights with CLIP features only, as the released checkpoint of that name."""

_base_ = './qvhl.py'

model = dict(video_projector=dict(in_dim=514))
train_dataloader = dict(dataset=dict(video=[_base_.train_dataloader.dataset.video[1]]))
val_dataloader = dict(dataset=dict(video=[_base_.val_dataloader.dataset.video[1]]))
test_dataloader = dict(dataset=dict(video=[_base_.test_dataloader.dataset.video[1]]))
