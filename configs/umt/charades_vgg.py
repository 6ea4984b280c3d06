# SPDX-License-Identifier: Apache-2.0
"""UMT on Charades-STA with VGG and audio features, moments alone."""

_base_ = [
    '../_base_/models/umt.py',
    '../_base_/benchmarks/charades_vgg_audio.py',
    '../_base_/schedules/adam_200e_constant.py',
    '../_base_/runtime_moments.py',
]

model = dict(
    saliency_head=None,
    moment_head=dict(losses=dict(width=dict(weight=0.05), offset=dict(weight=0.5))),
    test_cfg=dict(
        post_processor=dict(
            type='PostProcessor', steps=dict(nms=dict(type='SoftNMS', decay='gaussian'))
        )
    ),
)
benchmark = dict(
    dataset=dict(features=dict(tef=False)),
    evaluator=dict(recall5=True),
)
train_dataloader = dict(batch_size=8)
train_cfg = dict(max_epochs=100)
