# SPDX-License-Identifier: Apache-2.0
"""UMT where data only rate clips: no moments and one layer in the decoder."""

_base_ = '../umt.py'

model = dict(
    encoder=dict(num_layers=1),
    saliency_head=dict(losses=dict(bce=dict(weight=1.0))),
    moment_head=None,
)
