# SPDX-License-Identifier: Apache-2.0
"""UMT on Charades-STA with optical flow (VGG, 4096) as the second stream instead of audio."""

_base_ = './charades_vgg.py'

benchmark = dict(
    audio=[
        dict(
            type='FolderStore',
            folder='data/charades_sta/vgg_features/opt_features',
            pattern='{vid}',
            dim=4096,
            features_from='https://github.com/TencentARC/UMT',
        )
    ],
)
