# SPDX-License-Identifier: Apache-2.0
"""UMT on TVSum with I3D video and PANN audio features, one model per domain."""

_base_ = [
    '../_base_/models/variants/umt_highlights.py',
    '../_base_/benchmarks/tvsum_i3d_audio_stream.py',
    '../_base_/schedules/adam_200e_constant.py',
    '../_base_/runtime_highlights.py',
]

benchmark = dict(dataset=dict(features=dict(tef=False, normalize_video=False)))
train_dataloader = dict(batch_size=1)
train_cfg = dict(max_epochs=500)
