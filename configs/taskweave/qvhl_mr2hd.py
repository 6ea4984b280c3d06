# SPDX-License-Identifier: Apache-2.0
"""Feedback from moments to highlights from half of training (Table 7, MR2HD): the default."""

_base_ = './qvhl.py'
