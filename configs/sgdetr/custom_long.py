# SPDX-License-Identifier: Apache-2.0
"""SG-DETR on own videos of any length: trained on 150 clips, tested window by window."""

_base_ = './custom.py'

# The type and `windows` make any system predict on long videos; its weights stay the same.
model = dict(type='SlidingGrounder', windows=dict(clips=150, overlap=50))
# Longer videos give another part around one of their moments in every epoch.
train_dataloader = dict(dataset=dict(train_clips=150))
