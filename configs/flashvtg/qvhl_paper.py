# SPDX-License-Identifier: Apache-2.0
"""FlashVTG where the paper differs from the released code, which gave every published number:
projected queries, keys and values, a pyramid of convolutions alone, rectified boundaries, scores of
two convolutions that are mixed after the sigmoid, words of CLIP and GloVe."""

_base_ = './qvhl.py'

# Words of CLIP and of GloVe are paired by position although their tokenisations differ.
_glove = dict(type='GloveStore', file='data/glove/glove.6B.300d.txt', dim=300)
benchmark = dict(text=[*_base_.benchmark.text, _glove])
del _glove
model = dict(
    fusion=dict(project=True),
    neck=dict(plain=True),
    moment_head=dict(boundary='relu', scores=dict(num_convs=2, num_linear=None, mix='scores')),
)
