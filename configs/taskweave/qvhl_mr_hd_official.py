# SPDX-License-Identifier: Apache-2.0
"""Feedback from moments first, then from highlights (Table 7, MR-HD), with the released quirks."""

_base_ = './qvhl_bi_mrhd_official.py'

model = dict(
    feedback=dict(
        moment_guided=dict(start=0.5, stop=0.75),
        highlight_guided=dict(start=0.75, stop=1.0),
    ),
)
