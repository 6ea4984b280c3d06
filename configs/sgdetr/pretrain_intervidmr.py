# SPDX-License-Identifier: Apache-2.0
"""Pre-training of SG-DETR on InterVid-MR, validated zero-shot on QVHighlights.

docs/pretraining.md says how the data is made; `python tools/test.py` with this config and its
checkpoint gives the zero-shot numbers. qvhl_finetune.py goes on from it.
"""

_base_ = [
    '../_base_/models/sgdetr.py',
    '../_base_/benchmarks/qvhighlights_internvideo2.py',
    '../_base_/schedules/adamw_30e_pretrain.py',
    '../_base_/default_runtime.py',
]

_origin = 'tools/make_pretraining_data.py intervidmr'
train_dataloader = dict(
    batch_size=256,
    dataset=dict(
        ann_file='data/intervid_mr/annotations.jsonl',
        annotations_from=_origin,
        video=[
            dict(
                type='FolderStore',
                folder='data/intervid_mr/video',
                pattern='{vid}',
                dim=512,
                features_from=_origin,
            )
        ],
        text=[
            dict(
                type='FolderStore',
                folder='data/intervid_mr/text',
                pattern='{qid}',
                dim=512,
                features_from=_origin,
            )
        ],
    ),
)
del _origin
randomness = dict(seed=42)
