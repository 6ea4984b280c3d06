# SPDX-License-Identifier: Apache-2.0
# Charades-CG: Charades-STA split anew, with test sets of known words in known pairs (test_trivial),
# of new pairs (novel_composition) and of new words (novel_word). A config names one of them: here
# novel_composition. There is no validation split; the epoch is chosen on test_trivial. The
# annotations are the output of tools/convert_annotations.py charades_cg.
_base_ = './charades_slowfast_clip.py'

_from = dict(type='FolderStore', features_from='https://github.com/lntzm/MESM')
_at = 'data/charades_cg'
benchmark = dict(
    name='Charades-CG (novel_composition)',
    features='charades_splits_slowfast_clip',
    dataset=dict(annotations_from='https://github.com/lntzm/MESM/tree/main/data/Charades-CG'),
    splits=dict(
        train=dict(ann_file=f'{_at}/train.jsonl'),
        val=dict(ann_file=f'{_at}/test_trivial.jsonl'),
        test=dict(ann_file=f'{_at}/novel_composition.jsonl'),
    ),
    text=[dict(folder=f'{_at}/clip_text_features', pattern='{qid}', dim=512, **_from)],
)
del _from, _at
