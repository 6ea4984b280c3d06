# SPDX-License-Identifier: Apache-2.0
"""VideoLights on QVHighlights with CLIP features only."""

_base_ = './qvhl.py'

benchmark = dict(video=[_base_.benchmark.video[1]])
