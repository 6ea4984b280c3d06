# SPDX-License-Identifier: Apache-2.0
"""VideoLights-B-pt on TVSum: tvsum_blip.py with full hard losses, started from the pre-training.

The pre-trained weights read BLIP-2 words too. The released script for them does not run.
"""

_base_ = './tvsum_blip.py'

model = dict(
    saliency_head=dict(losses=dict(hard_positive=dict(coef=10.0), hard_negative=dict(coef=10.0))),
)
_words = dict(
    type='FolderStore',
    folder='data/tvsum/query_features_blip',
    pattern='{qid}',
    dim=768,
    features_from='https://github.com/dpaul06/VideoLights',
)
benchmark = dict(text=[*_base_.benchmark.text, _words])
del _words
load_from = 'checkpoints/videolights_b_pretrained.pth'
weights_from = 'tools/train.py configs/videolights/pretrain_blip.py'
