# SPDX-License-Identifier: Apache-2.0
"""No unit, feedback or balance (Table 4, first row), with the quirks of the released code."""

_base_ = './qvhl_unit_official.py'

model = dict(
    encoder=dict(_delete_=True, type='TransformerEncoder', num_layers=2),
    neck=None,
)
