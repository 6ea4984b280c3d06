# SPDX-License-Identifier: Apache-2.0
# Charades-STA with audio features (2048) as a stream of their own beside VGG, one row per 1/6 s.
_base_ = './charades_vgg.py'

benchmark = dict(
    audio=[
        dict(
            type='FolderStore',
            folder='data/charades_sta/audio_features',
            pattern='{vid}',
            dim=2048,
            features_from='https://github.com/TencentARC/UMT',
        )
    ],
)
