# SPDX-License-Identifier: Apache-2.0
"""Encoders of the fused sequence."""

from .clip_query_decoder import ClipQueryDecoder
from .residual_conv import ResidualConvEncoder
from .temporal_max_pool import TemporalMaxPool
from .transformer_encoder import TransformerEncoder

__all__ = ['ClipQueryDecoder', 'ResidualConvEncoder', 'TemporalMaxPool', 'TransformerEncoder']
