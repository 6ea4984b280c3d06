# SPDX-License-Identifier: Apache-2.0
"""SG-DETR, third row of its ablation: (b) and the IoU score.

The fourth row adds the global saliency (qvhl_decoder_only.py), the last the dense head (qvhl.py).
"""

_base_ = './qvhl_decoder_only.py'

# The local saliency head keeps its losses; the global one had the same.
model = dict(saliency_head=dict(_delete_=True, type='LocalSaliency'))
