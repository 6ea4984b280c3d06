# SPDX-License-Identifier: Apache-2.0
"""No unit, no feedback, no learned balance (Table 4, first row).

The paper does not describe this model; here the two layers of the shared expert encode the clips
that both heads read.
"""

_base_ = './qvhl_unit.py'

model = dict(
    encoder=dict(_delete_=True, type='TransformerEncoder', num_layers=2),
    neck=None,
)
