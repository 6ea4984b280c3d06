# SPDX-License-Identifier: Apache-2.0
"""VideoLights on Charades-STA with SlowFast and CLIP features: charades_blip.py without BLIP-2."""

_base_ = './charades_blip.py'

benchmark = dict(video=_base_.benchmark.video[:2], text=_base_.benchmark.text[:1])
