# SPDX-License-Identifier: Apache-2.0
"""UVCOM on ActivityNet Captions with CLIP features only, as line/lighthouse ran it."""

_base_ = './activitynet.py'

benchmark = dict(video=[_base_.benchmark.video[1]])
