# SPDX-License-Identifier: Apache-2.0
# QVHighlights with the CLIP features of Moment-DETR only.
_base_ = './qvhighlights_slowfast_clip.py'

benchmark = dict(features='clip', video=[_base_.benchmark.video[1]])
