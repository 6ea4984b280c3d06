# SPDX-License-Identifier: Apache-2.0
# Charades-STA-RF with the features of FlashVTG and CausalVTG: InternVideo2-6B video (768), one row
# per second, and LLaMA word features (4096).
_base_ = './charades_internvideo2_llama.py'

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
