# SPDX-License-Identifier: Apache-2.0
"""Zero-shot grounding on simulated data. Clips and words are seen through one projection, as by an
image-text model; elsewhere they have nothing in common before a model learns it.
"""

_base_ = [
    '../_base_/benchmarks/simulated.py',
    '../_base_/models/variants/zero_shot.py',
    '../_base_/default_runtime.py',
]

benchmark = dict(
    dataset=dict(features=dict(tef=False)),
    text=[dict(type='SimulatedText', dim=64, backbone='video0')],
)

train_dataloader = None
