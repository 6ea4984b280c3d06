# SPDX-License-Identifier: Apache-2.0
"""QD-DETR on QVHighlights with CLIP features only, like the released checkpoint of that name."""

_base_ = './qvhl.py'

benchmark = dict(video=[_base_.benchmark.video[1]])
