# SPDX-License-Identifier: Apache-2.0
"""SG-DETR on YouTube Highlights from scratch with InternVideo2-1B features, one model per domain.

Published runs have the seeds 40, 41 and 42.
"""

_base_ = [
    '../_base_/models/variants/sgdetr_highlights.py',
    '../_base_/benchmarks/youtube_internvideo2.py',
    '../_base_/schedules/adamw_200e_short_warmup.py',
    '../_base_/runtime_highlights.py',
]

randomness = dict(seed=40)
