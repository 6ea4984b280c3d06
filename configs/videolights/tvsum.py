# SPDX-License-Identifier: Apache-2.0
"""VideoLights on TVSum with SlowFast and CLIP features: tvsum_blip.py without BLIP-2."""

_base_ = './tvsum_blip.py'

# SlowFast 2304, CLIP 512 and 2 temporal endpoint features
model = dict(video_projector=dict(in_dim=2818))
train_dataloader = dict(dataset=dict(video=_base_.train_dataloader.dataset.video[:2]))
val_dataloader = dict(dataset=dict(video=_base_.val_dataloader.dataset.video[:2]))
test_dataloader = dict(dataset=dict(video=_base_.test_dataloader.dataset.video[:2]))
