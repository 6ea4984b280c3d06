# SPDX-License-Identifier: Apache-2.0
"""Feedback from moments as the paper's formula has it: the gain acts on both terms of the head."""

_base_ = './qvhl_mr2hd.py'

model = dict(feedback=dict(moment_guided=dict(target='saliency_memory')))
