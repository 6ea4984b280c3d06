# SPDX-License-Identifier: Apache-2.0
"""The weighted sum (Table 6, Weighted Sum), with the quirks of the released code."""

_base_ = './qvhl_loss_sum_official.py'

model = dict(moment_head=dict(losses=dict(span=dict(weight=10.0), label=dict(weight=4.0))))
