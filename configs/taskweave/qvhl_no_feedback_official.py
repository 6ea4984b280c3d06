# SPDX-License-Identifier: Apache-2.0
"""Without feedback (Tables 4 and 5 f), with the quirks of the released code."""

_base_ = './qvhl_official.py'

model = dict(feedback=dict(moment_guided=None))
