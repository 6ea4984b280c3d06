# SPDX-License-Identifier: Apache-2.0
"""VideoLights on TVSum with SlowFast and CLIP features: tvsum_blip.py without BLIP-2."""

_base_ = './tvsum_blip.py'

benchmark = dict(video=_base_.benchmark.video[:2])
