# SPDX-License-Identifier: Apache-2.0
"""The plain sum of all terms (Table 6, Sum), with the quirks of the released code."""

_base_ = './qvhl_official.py'

model = dict(loss_balancer=dict(_delete_=True, type='FixedBalancer'))
