# SPDX-License-Identifier: Apache-2.0
"""The task-decoupled unit alone (Table 4, second row), with the quirks of the released code."""

_base_ = './qvhl_loss_weighted_sum_official.py'

model = dict(feedback=dict(moment_guided=None))
