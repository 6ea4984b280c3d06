# SPDX-License-Identifier: Apache-2.0
# Charades-CD: Charades-STA split anew, so that moments of the test set test_ood lie elsewhere in
# their videos than those of training; test_iid resembles training. A config names one of them:
# here test_ood. The videos' features are those of Charades-STA, words have those of their own ids.
# The annotations are the output of tools/convert_annotations.py charades_cd.
_base_ = './charades_slowfast_clip.py'

_from = dict(type='FolderStore', features_from='https://github.com/lntzm/MESM')
_at = 'data/charades_cd'
benchmark = dict(
    name='Charades-CD (test_ood)',
    features='charades_splits_slowfast_clip',
    dataset=dict(annotations_from='https://github.com/lntzm/MESM/tree/main/data/Charades-CD'),
    splits=dict(
        train=dict(ann_file=f'{_at}/train.jsonl'),
        val=dict(ann_file=f'{_at}/val.jsonl'),
        test=dict(ann_file=f'{_at}/test_ood.jsonl'),
    ),
    evaluator=[
        _base_.benchmark.evaluator,
        dict(type='RecallMetric', discounted=True),
    ],
    text=[dict(folder=f'{_at}/clip_text_features', pattern='{qid}', dim=512, **_from)],
)
del _from, _at
