# SPDX-License-Identifier: Apache-2.0
"""UVCOM on QVHighlights with PANN audio features, a stream of its own that is added to the video.

The columns are [SlowFast, CLIP, TEF] and [PANN, TEF].
"""

_base_ = './qvhl.py'

_audio = dict(
    type='FolderStore',
    folder='data/qvhighlights/pann_features',
    pattern='{vid}',
    dim=2048,
    features_from='https://github.com/TencentARC/UMT',
)
model = dict(video_projector=dict(type='StreamSum', widths=(2818, 2050)))
benchmark = dict(dataset=dict(features=dict(tef=(1, 2))), video=[*_base_.benchmark.video, _audio])
del _audio
