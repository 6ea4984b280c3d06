# SPDX-License-Identifier: Apache-2.0
"""Synthetic pre-training of VideoLights on pairs made by tools/make_pretraining_data.py.

docs/pretraining.md says how they and their features are made. The saliency is the similarity that
the file stores, as in Algorithm 1, spread over the grades that the ranking loss counts; pretrain.py
uses interval labels.
"""

_base_ = './pretrain.py'

train_dataloader = dict(
    dataset=dict(
        ann_file='data/videolights/annotations.jsonl',
        annotations_from='tools/make_pretraining_data.py videolights',
        text=[
            dict(
                type='FolderStore',
                folder='data/videolights/text',
                pattern='{qid}',
                dim=512,
                features_from='tools/extract_features.py --text',
            )
        ],
        labels=dict(saliency=dict(_delete_=True, type='AnnotatorSum', top=12.0)),
    ),
)
