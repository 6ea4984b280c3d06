# SPDX-License-Identifier: Apache-2.0
"""Feedback from moments first, then from highlights (Table 7, MR-HD).

Neither paper nor code says when they change; README.md derives three quarters of training.
"""

_base_ = './qvhl_bi_mrhd.py'

model = dict(
    feedback=dict(
        moment_guided=dict(start=0.5, stop=0.75),
        highlight_guided=dict(start=0.75, stop=1.0),
    ),
)
