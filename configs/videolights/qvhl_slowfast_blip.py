# SPDX-License-Identifier: Apache-2.0
"""VideoLights on QVHighlights with SlowFast and BLIP-2, without CLIP (Table VIII)."""

_base_ = './qvhl_blip.py'

# SlowFast 2304, BLIP-2 768 and 2 temporal endpoint features; BLIP-2 768
model = dict(video_projector=dict(in_dim=3074), text_projector=dict(in_dim=768))
train_dataloader = dict(
    dataset=dict(
        video=_base_.train_dataloader.dataset.video[::2],
        text=_base_.train_dataloader.dataset.text[1:],
    )
)
val_dataloader = dict(
    dataset=dict(
        video=_base_.val_dataloader.dataset.video[::2],
        text=_base_.val_dataloader.dataset.text[1:],
    )
)
test_dataloader = dict(
    dataset=dict(
        video=_base_.test_dataloader.dataset.video[::2],
        text=_base_.test_dataloader.dataset.text[1:],
    )
)
