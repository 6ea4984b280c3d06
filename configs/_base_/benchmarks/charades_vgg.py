# SPDX-License-Identifier: Apache-2.0
# Charades-STA with VGG features (4096), one row per 1/6 s, and the words of the query in GloVe
# (300), neither normalised nor cut. Published runs look words up with the full stop of the sentence
# glued to them, see `literal` of GloveStore.
_base_ = './charades.py'

train_dataloader = dict(batch_size=16)
val_dataloader = dict(batch_size=16)
benchmark = dict(
    dataset=dict(features=dict(normalize_text=False, length_tolerance=30)),
    video=[
        dict(
            type='FolderStore',
            folder='data/charades_sta/vgg_features/rgb_features',
            pattern='{vid}',
            dim=4096,
            features_from='https://github.com/TencentARC/UMT',
        ),
    ],
    text=[dict(type='GloveStore', file='data/glove/glove.6B.300d.txt', dim=300)],
    clip_length=1 / 6,
    duration_limit=360.0,
)
