# SPDX-License-Identifier: Apache-2.0
"""Building blocks that know nothing of slots and states."""

from .attention import RawAttention
from .blocks import MLP, DropPath, FeedForward, clones, masked_fill_zero, xavier_linear
from .conv import MaskedConv1d, SeparableConv1d
from .functional import inverse_sigmoid
from .positions import sine_clip_positions, sine_span_embedding
from .span_decoder import DecoderOutputs, SpanDecoder
from .transformer import EncoderLayer, EncoderStack

__all__ = [
    'MLP',
    'DecoderOutputs',
    'DropPath',
    'EncoderLayer',
    'EncoderStack',
    'FeedForward',
    'MaskedConv1d',
    'RawAttention',
    'SeparableConv1d',
    'SpanDecoder',
    'clones',
    'inverse_sigmoid',
    'masked_fill_zero',
    'sine_clip_positions',
    'sine_span_embedding',
    'xavier_linear',
]
