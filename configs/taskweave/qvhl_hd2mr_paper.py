# SPDX-License-Identifier: Apache-2.0
"""Feedback from highlights as in the paper: on the input of the moment decoder, in one pass."""

_base_ = './qvhl_hd2mr.py'

model = dict(feedback=dict(highlight_guided=dict(target='decoder_input')))
