# SPDX-License-Identifier: Apache-2.0
"""Encoders of the fused sequence."""

from .temporal_max_pool import TemporalMaxPool
from .transformer_encoder import TransformerEncoder

__all__ = ['TemporalMaxPool', 'TransformerEncoder']
