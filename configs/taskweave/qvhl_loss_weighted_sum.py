# SPDX-License-Identifier: Apache-2.0
"""The weighted sum of Moment-DETR in place of the learned balance (Table 6, Weighted Sum)."""

_base_ = './qvhl_loss_sum.py'

model = dict(moment_head=dict(losses=dict(span=dict(weight=10.0), label=dict(weight=4.0))))
