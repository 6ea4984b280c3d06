# SPDX-License-Identifier: Apache-2.0
"""QD-DETR on Charades-CD, tested on test_iid, which resembles training."""

_base_ = './charades_cd.py'

benchmark = dict(
    name='Charades-CD (test_iid)',
    splits=dict(test=dict(ann_file='data/charades_cd/test_iid.jsonl')),
)
