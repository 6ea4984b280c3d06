# SPDX-License-Identifier: Apache-2.0
# Charades-STA with I3D features (1024), one row per second, and the words of the query in GloVe
# (300), neither normalised nor cut. QD-DETR and TaskWeave print numbers for I3D but released
# neither features nor a loader; set clip_length to the rate of yours.
_base_ = './charades.py'

benchmark = dict(
    dataset=dict(features=dict(normalize_text=False)),
    video=[
        dict(
            type='FolderStore',
            folder='data/charades_sta/i3d_features',
            pattern='{vid}',
            dim=1024,
            features_from='https://github.com/EdenGabriel/TaskWeave',
        ),
    ],
    text=[dict(type='GloveStore', file='data/glove/glove.6B.300d.txt', dim=300)],
)
