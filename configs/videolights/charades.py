# SPDX-License-Identifier: Apache-2.0
"""VideoLights on Charades-STA with SlowFast and CLIP features: charades_blip.py without BLIP-2."""

_base_ = './charades_blip.py'

# SlowFast 2304, CLIP 512 and 2 temporal endpoint features; CLIP 512
model = dict(video_projector=dict(in_dim=2818), text_projector=dict(in_dim=512))
train_dataloader = dict(
    dataset=dict(
        video=_base_.train_dataloader.dataset.video[:2],
        text=_base_.train_dataloader.dataset.text[:1],
    )
)
val_dataloader = dict(
    dataset=dict(
        video=_base_.val_dataloader.dataset.video[:2],
        text=_base_.val_dataloader.dataset.text[:1],
    )
)
test_dataloader = dict(
    dataset=dict(
        video=_base_.test_dataloader.dataset.video[:2],
        text=_base_.test_dataloader.dataset.text[:1],
    )
)
