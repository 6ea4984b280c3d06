# SPDX-License-Identifier: Apache-2.0
"""QD-DETR on Charades-CG, tested on test_trivial: known words in known pairs."""

_base_ = './charades_cg.py'

benchmark = dict(
    name='Charades-CG (test_trivial)',
    splits=dict(test=dict(ann_file='data/charades_cg/test_trivial.jsonl')),
)
