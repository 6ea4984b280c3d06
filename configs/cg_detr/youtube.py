# SPDX-License-Identifier: Apache-2.0
"""CG-DETR on YouTube Highlights with CLIP and SlowFast features, one model per domain.

The published numbers are the better of one and two selected prompts per domain:
``--cfg-options model.fusion.context.num_selected=2``.
"""

_base_ = [
    '../_base_/models/variants/cg_detr_saliency4.py',
    '../_base_/benchmarks/youtube_slowfast_clip.py',
    '../_base_/schedules/adamw_2000e_constant.py',
    '../_base_/runtime_highlights.py',
]

model = dict(
    # Only highlights are rated: the saliency terms are the only losses. All queries of a domain are
    # the same, so other clips of the pair are not pushed down.
    refiner=dict(num_dummies=1, orthogonal_weight=0.0),
    fusion=dict(context=dict(orthogonal_weight=0.0), losses=dict(negative=None)),
    saliency_head=dict(losses=dict(negative=None)),
    moment_head=None,
    auxiliary=dict(correlation=None),
)
optim_wrapper = dict(optimizer=dict(lr=2e-4))
train_cfg = dict(max_epochs=1000)
randomness = dict(seed=2018)
