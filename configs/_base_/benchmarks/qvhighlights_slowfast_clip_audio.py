# SPDX-License-Identifier: Apache-2.0
# QVHighlights with PANN audio features (2048) as a stream of their own beside SlowFast and CLIP.
_base_ = './qvhighlights_slowfast_clip.py'

benchmark = dict(
    features='qvhighlights_slowfast_clip_audio_stream',
    audio=[
        dict(
            type='FolderStore',
            folder='data/qvhighlights/pann_features',
            pattern='{vid}',
            dim=2048,
            features_from='https://github.com/TencentARC/UMT',
        )
    ],
)
