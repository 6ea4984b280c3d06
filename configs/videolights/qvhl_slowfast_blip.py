# SPDX-License-Identifier: Apache-2.0
"""VideoLights on QVHighlights with SlowFast and BLIP-2, without CLIP (Table VIII)."""

_base_ = './qvhl_blip.py'

benchmark = dict(video=_base_.benchmark.video[::2], text=_base_.benchmark.text[1:])
