# SPDX-License-Identifier: Apache-2.0
# QV-M2: QVHighlights and further queries with up to 14 moments on the same videos, without ratings
# of clips. Features are those of QVHighlights; those of the new queries come with the annotations.
_base_ = './qvhighlights_slowfast_clip.py'

benchmark = dict(
    name='QV-M2',
    dataset=dict(
        annotations_from='https://github.com/Zhuo-Cao/QV-M2',
        labels=dict(saliency=dict(type='AllWindows'), max_windows=None),
    ),
    splits=dict(
        train=dict(ann_file='data/qvm2/qv_m2_train.jsonl'),
        val=dict(ann_file='data/qvm2/qv_m2_val.jsonl'),
        test=dict(ann_file='data/qvm2/qv_m2_test.jsonl'),
    ),
    evaluator=[dict(type='MomentRetrievalMetric'), dict(type='MultiMomentMetric')],
)
