# SPDX-License-Identifier: Apache-2.0
"""Moment-DETR with the optional contrastive alignment of queries and words.

Off in all published runs; 0.02 is the weight in an older option file of the released code.
"""

_base_ = './qvhl.py'

model = dict(
    moment_head=dict(
        losses=dict(
            align=dict(type='QueryTextAlignment', embed_dim=64, temperature=0.07, weight=0.02),
        ),
    ),
)
