# SPDX-License-Identifier: Apache-2.0
"""Without feedback (Table 4, decoupled unit + joint loss; Table 5 f: CNN / identity)."""

_base_ = './qvhl.py'

model = dict(
    feedback=dict(moment_guided=None),
)
