# SPDX-License-Identifier: Apache-2.0
# Charades-STA as line/lighthouse loads it: videos are cut to 75 clips, and the clips of a window
# are counted in the configured clip length. Its weights read CLIP before SlowFast: reverse the list
# `benchmark.video` to load them.
_base_ = './charades_slowfast_clip.py'

benchmark = dict(
    dataset=dict(
        features=dict(max_video_clips=75),
        labels=dict(saliency=dict(clip_from='clip_length')),
    )
)
