# SPDX-License-Identifier: Apache-2.0
"""QD-DETR on Charades-CG, tested on novel_word: words unseen in training."""

_base_ = './charades_cg.py'

benchmark = dict(
    name='Charades-CG (novel_word)',
    splits=dict(test=dict(ann_file='data/charades_cg/novel_word.jsonl')),
)
