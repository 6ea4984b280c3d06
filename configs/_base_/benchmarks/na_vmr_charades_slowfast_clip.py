# SPDX-License-Identifier: Apache-2.0
# NA-VMR on Charades-STA: every query also beside a video that does not answer it (in-domain, val),
# and queries about things that no video shows (out-of-domain, test). Training has all three kinds.
# The files are joined and numbered anew by tools/convert_annotations.py na_vmr, see docs/data.md.
_base_ = './charades_slowfast_clip.py'

_at = 'data/na_vmr/charades'
benchmark = dict(
    name='NA-VMR on Charades-STA',
    dataset=dict(annotations_from='https://github.com/keflanagan/MomentofUntruth'),
    splits=dict(
        train=dict(ann_file=f'{_at}_train.jsonl'),
        val=dict(ann_file=f'{_at}_id_pos_neg_test.jsonl'),
        test=dict(ann_file=f'{_at}_ood_pos_neg_test.jsonl'),
    ),
    evaluator=[
        _base_.benchmark.evaluator,
        dict(type='UnanswerableMetric', prefix='NA-VMR', strict=True, inclusive=True),
    ],
)
del _at
