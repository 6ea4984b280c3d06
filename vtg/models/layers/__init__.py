# SPDX-License-Identifier: Apache-2.0
"""Building blocks that know nothing of slots and states."""

from .attention import (
    ProjectedAttention,
    RawAttention,
    attend,
    merge_heads,
    split_heads,
    tiled_padding_mask,
)
from .batch_norm import MaskedBatchNorm1d
from .blocks import (
    MLP,
    Activation,
    FeedForward,
    clones,
    masked_fill_zero,
    xavier_linear,
)
from .clustering import SoftClustering, random_walk
from .context_query import ContextQueryAttention
from .conv import MaskedConv1d, SeparableConv1d, convolve
from .cross_attention import CrossAttentionStack
from .deformable import DeformableAttention, DeformableLayer
from .dropout import Dropout, DropPath, attention_rate, dropout, residual_noise
from .functional import amplify, cosine, inverse_sigmoid, masked_softmax, unit
from .gated_decoder import GatedSpanDecoder
from .gated_fusion import GatedTextFusion
from .init import Init, init_linears_normal, init_transformer
from .looped_decoder import LoopedDecoder
from .moment_summary import MomentSummary
from .pooling import SummedLinear, WeightedPooling, masked_average
from .positions import sine_clip_positions, sine_span_embedding
from .prenorm import (
    LearnedPositions,
    PreNormDecoderLayer,
    PreNormEncoderLayer,
    ResidualAttention,
    ResidualFeedForward,
)
from .recurrent import GRU
from .slot_attention import SlotAttention
from .slot_decoder import SlotDecoder
from .span_decoder import DecoderOutputs, SpanDecoder, SpanDecoderLayer
from .temporal_block import TemporalBlock
from .transformer import CrossAttentionLayer, EncoderLayer, EncoderStack

__all__ = [
    'GRU',
    'MLP',
    'Activation',
    'ContextQueryAttention',
    'CrossAttentionLayer',
    'CrossAttentionStack',
    'DecoderOutputs',
    'DeformableAttention',
    'DeformableLayer',
    'DropPath',
    'Dropout',
    'EncoderLayer',
    'EncoderStack',
    'FeedForward',
    'GatedSpanDecoder',
    'GatedTextFusion',
    'Init',
    'LearnedPositions',
    'LoopedDecoder',
    'MaskedBatchNorm1d',
    'MaskedConv1d',
    'MomentSummary',
    'PreNormDecoderLayer',
    'PreNormEncoderLayer',
    'ProjectedAttention',
    'RawAttention',
    'ResidualAttention',
    'ResidualFeedForward',
    'SeparableConv1d',
    'SlotAttention',
    'SlotDecoder',
    'SoftClustering',
    'SpanDecoder',
    'SpanDecoderLayer',
    'SummedLinear',
    'TemporalBlock',
    'WeightedPooling',
    'amplify',
    'attend',
    'attention_rate',
    'clones',
    'convolve',
    'cosine',
    'dropout',
    'init_linears_normal',
    'init_transformer',
    'inverse_sigmoid',
    'masked_average',
    'masked_fill_zero',
    'masked_softmax',
    'merge_heads',
    'random_walk',
    'residual_noise',
    'sine_clip_positions',
    'sine_span_embedding',
    'split_heads',
    'tiled_padding_mask',
    'unit',
    'xavier_linear',
]
