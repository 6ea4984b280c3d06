# SPDX-License-Identifier: Apache-2.0
"""SG-DETR on TACoS, trained from scratch with InternVideo2-1B features."""

_base_ = [
    '../_base_/models/sgdetr.py',
    '../_base_/benchmarks/tacos_internvideo2.py',
    '../_base_/schedules/adamw_120e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    local_saliency_head=dict(num_layers=1),
    moment_head=dict(
        dense_head=dict(prior=0.2, test_cfg=dict(score_thr=0.05, iou_thr=0.6, top_n=20)),
        query_head=dict(queries=dict(prior=0.2), prior=0.2),
        box_fusion=dict(weights=(1.0, 1.0), iou_thr=0.6, skip_thr=0.1),
        dense_test_cfg=dict(score_thr=0.05, iou_thr=0.6, top_n=20),
    ),
)
default_hooks = dict(checkpoint=dict(save_best='MR-full-R1@0.3'))
randomness = dict(seed=47)
