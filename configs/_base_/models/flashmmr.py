# SPDX-License-Identifier: Apache-2.0
"""FlashMMR (Cao et al., NeurIPS 2025, arXiv 2510.17218): FlashVTG whose moments are verified.

Its training code is not released; the losses are those of FlashVTG.
"""

_base_ = './flashvtg.py'

model = dict(auxiliary=dict(verification=dict(type='MomentVerification', weight=0.7)))
