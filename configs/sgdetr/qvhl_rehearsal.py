# SPDX-License-Identifier: Apache-2.0
"""SG-DETR on the real annotations of QVHighlights with simulated features.

A full-size run that needs the annotation files only: it tries loader, memory and speed before the
features are downloaded. Its numbers say nothing about the method.
"""

_base_ = [
    '../_base_/models/sgdetr.py',
    '../_base_/benchmarks/qvhighlights_rehearsal.py',
    '../_base_/schedules/adamw_160e.py',
    '../_base_/default_runtime.py',
]

train_dataloader = dict(batch_size=128)
randomness = dict(seed=40)
