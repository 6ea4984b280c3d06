# SPDX-License-Identifier: Apache-2.0
"""UMT on QVHighlights with SlowFast and CLIP video features and PANN audio features."""

_base_ = [
    '../_base_/models/umt.py',
    '../_base_/benchmarks/qvhighlights_slowfast_clip_audio.py',
    '../_base_/schedules/adam_200e_constant.py',
    '../_base_/default_runtime.py',
]

# Features as they are stored, and all windows of a query.
benchmark = dict(
    dataset=dict(
        features=dict(tef=False, normalize_video=False, normalize_text=False, max_text_tokens=None),
        labels=dict(max_windows=None),
    )
)
