# SPDX-License-Identifier: Apache-2.0
"""QVHighlights by the CLIP features of Moment-DETR, without training: the pooled sentence is the
array ``pooler_output`` of the published text features.
"""

_base_ = [
    '../_base_/benchmarks/qvhighlights_clip.py',
    '../_base_/models/variants/zero_shot.py',
    '../_base_/default_runtime.py',
]

benchmark = dict(
    dataset=dict(features=dict(tef=False)),
    text=[dict(**_base_.benchmark.text[0], key='pooler_output')],
)

train_dataloader = None
