# SPDX-License-Identifier: Apache-2.0
# TVSum with I3D video and PANNs audio (2048) of UMT. Both sources have their own temporal endpoint
# features, as in QD-DETR: 2050 + 2050 columns.
_base_ = './tvsum_i3d.py'

benchmark = dict(
    dataset=dict(features=dict(tef=(0, 1))),
    video=[
        *_base_.benchmark.video,
        dict(
            type='FolderStore',
            folder='data/tvsum/pann_features',
            pattern='{vid}',
            dim=2048,
            features_from='https://github.com/TencentARC/UMT',
        ),
    ],
)
