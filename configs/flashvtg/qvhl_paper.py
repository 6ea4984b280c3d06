# SPDX-License-Identifier: Apache-2.0
"""FlashVTG where the paper's equations differ from the released code, which gave every published
number: projected queries, keys and values, rectified boundaries, scores mixed after the sigmoid."""

_base_ = './qvhl.py'

model = dict(
    fusion=dict(project=True),
    moment_head=dict(boundary='relu', scores=dict(mix='scores')),
)
