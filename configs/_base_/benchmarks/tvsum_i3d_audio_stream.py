# SPDX-License-Identifier: Apache-2.0
# TVSum with I3D video and PANN audio features (2048) as a stream of their own.
_base_ = './tvsum_i3d.py'

benchmark = dict(
    audio=[
        dict(
            type='FolderStore',
            folder='data/tvsum/pann_features',
            pattern='{vid}',
            dim=2048,
            features_from='https://github.com/TencentARC/UMT',
        )
    ],
)
