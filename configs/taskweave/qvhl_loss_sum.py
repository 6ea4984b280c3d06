# SPDX-License-Identifier: Apache-2.0
"""The plain sum of all terms in place of the learned balance (Table 6, Sum)."""

_base_ = './qvhl.py'

model = dict(loss_balancer=dict(_delete_=True, type='FixedBalancer'))
