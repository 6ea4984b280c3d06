# SPDX-License-Identifier: Apache-2.0
"""LD-DETR on TVSum with I3D features, one model per domain.

Settings of an older state of the released code; those of the published numbers are not recorded.
"""

_base_ = [
    '../_base_/models/ld_detr.py',
    '../_base_/benchmarks/tvsum_i3d.py',
    '../_base_/schedules/adamw_2000e_constant.py',
    '../_base_/runtime_highlights.py',
]

model = dict(
    # Only highlights are rated. The moment head stays, untrained as in the released code, because
    # the saliency head looks at its best moment.
    moment_head=dict(losses=dict(span=None, giou=None, label=None)),
    auxiliary=None,
)
train_cfg = dict(max_epochs=1000)
