# SPDX-License-Identifier: Apache-2.0
"""TR-DETR on QVHighlights with PANN audio features beside the video features.

The channels are [SlowFast, CLIP, TEF, PANN, TEF]: the audio has temporal endpoint features of its
own.
"""

_base_ = './qvhl.py'

model = dict(
    video_projector=dict(in_dim=4868),
    # The script for audio weighs the local alignment less.
    auxiliary=dict(local_alignment=dict(loss_weight=0.3)),
)
_audio = dict(
    type='FolderStore',
    folder='data/qvhighlights/pann_features',
    pattern='{vid}',
    dim=2048,
    features_from='https://github.com/TencentARC/UMT',
)
train_dataloader = dict(
    dataset=dict(video=[*_base_.train_dataloader.dataset.video, _audio], tef=(1, 2))
)
val_dataloader = dict(
    dataset=dict(video=[*_base_.val_dataloader.dataset.video, _audio], tef=(1, 2))
)
test_dataloader = dict(
    dataset=dict(video=[*_base_.test_dataloader.dataset.video, _audio], tef=(1, 2))
)
del _audio
