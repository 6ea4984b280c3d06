# SPDX-License-Identifier: Apache-2.0
"""QD-DETR with audio and every documented quirk of the released code, for loading its weights."""

_base_ = './qvhl_audio.py'

model = dict(
    # As in qvhl_official.py.
    fusion=dict(mask_layout='tiled'),
    moment_head=dict(
        decoder=dict(positions=dict(min_width=0.0)),
        matcher=dict(costs=dict(giou=dict(eps=0.0))),
        losses=dict(giou=dict(eps=0.0)),
        ranking=dict(clamp=False),
    ),
    negatives=dict(same_source=True),
)
