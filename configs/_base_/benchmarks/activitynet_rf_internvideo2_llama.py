# SPDX-License-Identifier: Apache-2.0
# ActivityNet-RF: half of the queries belong to another video and have no answer there; training is
# on ActivityNet Captions. Ids name sentences and repeat, so records are numbered anew and the text
# features are found by the old id. Val is test, as in the released config.
_base_ = './activitynet_internvideo2_llama.py'

_rf = 'data/activitynet_rf/activitynet'
benchmark = dict(
    name='ActivityNet-RF',
    splits=dict(
        val=dict(ann_file=f'{_rf}_test_rf.jsonl', qid='renumber'),
        test=dict(ann_file=f'{_rf}_test_rf.jsonl', qid='renumber'),
    ),
    # R1 and mIoU over all records, and as CausalVTG counts them: the last record of every id.
    evaluator=[
        dict(
            type='MomentRetrievalMetric', selection={'MR-full-R1@0.5': 1.0, 'MR-full-R1@0.7': 1.0}
        ),
        dict(type='UnanswerableMetric'),
        dict(type='UnanswerableMetric', compat='causalvtg', prefix='CausalVTG'),
    ],
)
del _rf
