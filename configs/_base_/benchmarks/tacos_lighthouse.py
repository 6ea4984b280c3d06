# SPDX-License-Identifier: Apache-2.0
# TACoS as line/lighthouse loads it: up to 100 words, and the clips of a window are counted in the
# configured clip length. Its weights read CLIP before SlowFast: reverse the list `benchmark.video`
# to load them.
_base_ = './tacos_slowfast_clip.py'

benchmark = dict(
    dataset=dict(
        features=dict(max_text_tokens=100),
        labels=dict(saliency=dict(clip_from='clip_length')),
    )
)
