# SPDX-License-Identifier: Apache-2.0
"""BAM-DETR on QVHighlights with PANN audio features beside the video features.

The channels are [SlowFast, CLIP, TEF, PANN, TEF]: the audio has temporal endpoint features of its
own.
"""

_base_ = './qvhl.py'

_audio = dict(
    type='FolderStore',
    folder='data/qvhighlights/pann_features',
    pattern='{vid}',
    dim=2048,
    features_from='https://github.com/TencentARC/UMT',
)
benchmark = dict(dataset=dict(features=dict(tef=(1, 2))), video=[*_base_.benchmark.video, _audio])
del _audio
