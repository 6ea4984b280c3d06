# SPDX-License-Identifier: Apache-2.0
# UniVTG where only highlights are rated: relevant clips are the foreground, there are no offsets.
_base_ = '../univtg.py'

model = dict(moment_head=dict(loss_weights=dict(span=0.0, giou=0.0)))
