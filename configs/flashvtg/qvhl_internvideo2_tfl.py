# SPDX-License-Identifier: Apache-2.0
"""FlashVTG, Table 8, second row: temporal feature layering without adaptive score refinement."""

_base_ = './qvhl_internvideo2.py'

model = dict(moment_head=dict(scores=dict(refine=False)))
