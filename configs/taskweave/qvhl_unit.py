# SPDX-License-Identifier: Apache-2.0
"""The task-decoupled unit alone: no feedback, no learned balance (Table 4, second row).

The terms are weighted as in Moment-DETR; the paper does not say how.
"""

_base_ = './qvhl_loss_weighted_sum.py'

model = dict(feedback=dict(moment_guided=None))
