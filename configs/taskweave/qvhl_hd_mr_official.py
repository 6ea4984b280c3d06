# SPDX-License-Identifier: Apache-2.0
"""Feedback from highlights first, then from moments (Table 7, HD-MR), with the released quirks."""

_base_ = './qvhl_bi_mrhd_official.py'

model = dict(
    feedback=dict(
        highlight_guided=dict(start=0.5, stop=0.75),
        moment_guided=dict(start=0.75, stop=1.0),
    ),
)
