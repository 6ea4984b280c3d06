# SPDX-License-Identifier: Apache-2.0
"""Projections of features to tokens of the model width."""

from .conv_projector import ConvProjector
from .layered_projector import LayeredProjector
from .linear_projector import LinearProjector
from .stream_sum import StreamSum

__all__ = [
    'ConvProjector',
    'LayeredProjector',
    'LinearProjector',
    'StreamSum',
]
