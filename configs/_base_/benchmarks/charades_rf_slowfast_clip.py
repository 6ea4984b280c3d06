# SPDX-License-Identifier: Apache-2.0
# Charades-STA-RF: half of the queries of val and test belong to another video and have no answer
# there; training is on Charades-STA. Ids name sentences and repeat, so records are numbered anew
# and the text features are found by the old id. Both splits are made of the test videos of
# Charades-STA.
_base_ = './charades_slowfast_clip.py'

_rf = 'data/charades_rf/charades_sta'
benchmark = dict(
    name='Charades-STA-RF',
    splits=dict(
        val=dict(ann_file=f'{_rf}_val_rf.jsonl', qid='renumber'),
        test=dict(ann_file=f'{_rf}_test_rf.jsonl', qid='renumber'),
    ),
    # R1 and mIoU over all records, and as CausalVTG counts them: the last record of every id.
    evaluator=[
        _base_.benchmark.evaluator,
        dict(type='UnanswerableMetric'),
        dict(type='UnanswerableMetric', compat='causalvtg', prefix='CausalVTG'),
    ],
)
del _rf
