# SPDX-License-Identifier: Apache-2.0
"""Own data without training; the features of clips and queries come from one image-text model, in
the layout of docs/custom_data.md. Their width is stated here: 512 of CLIP ViT-B/32.
"""

_base_ = [
    '../_base_/benchmarks/custom.py',
    '../_base_/models/variants/zero_shot.py',
    '../_base_/default_runtime.py',
]

benchmark = dict(
    dataset=dict(
        features=dict(tef=False),
        text=dict(
            type='FolderStore', folder='text_features', pattern='qid{qid}', key='pooler_output'
        ),
    ),
)

train_dataloader = None
