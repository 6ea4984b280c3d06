# SPDX-License-Identifier: Apache-2.0
"""UMT on YouTube Highlights with I3D video and PANN audio features, one model per domain.

There is no text: every clip asks for itself.
"""

_base_ = [
    '../_base_/models/variants/umt_highlights.py',
    '../_base_/benchmarks/youtube_i3d_audio_stream.py',
    '../_base_/schedules/adam_200e_constant.py',
    '../_base_/runtime_highlights.py',
]

model = dict(
    text_projector=None,
    encoder=dict(queries='clips'),
    # Labels are 0 and 1.
    saliency_head=dict(losses=dict(bce=dict(max_label=1.0))),
)
benchmark = dict(dataset=dict(features=dict(tef=False, normalize_video=False)))
train_cfg = dict(max_epochs=100)
