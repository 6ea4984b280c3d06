# SPDX-License-Identifier: Apache-2.0
# UniVTG where only highlights are rated: relevant clips are the foreground, there are no offsets.
_base_ = '../univtg.py'

model = dict(moment_head=dict(losses=dict(span=dict(weight=0.0), giou=dict(weight=0.0))))
