# SPDX-License-Identifier: Apache-2.0
# ActivityNet Captions as line/lighthouse runs it, with ResNet-152 video (2048) and the words of the
# query in GloVe (300).
_base_ = './activitynet_lighthouse.py'

benchmark = dict(
    dataset=dict(features=dict(normalize_text=False)),
    video=[
        dict(
            type='FolderStore',
            folder='data/activitynet/resnet_features',
            pattern='{vid}',
            dim=2048,
            features_from='https://github.com/line/lighthouse',
        )
    ],
    text=[dict(type='GloveStore', file='data/glove/glove.6B.300d.txt', dim=300)],
)
