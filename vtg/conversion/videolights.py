# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of VideoLights' released code."""

import re

from .detr import (
    CONTEXT_SALIENCY,
    CONTEXT_TOKEN,
    MODALITIES,
    PREDICTION_HEADS,
    SPAN_DECODER,
    UNUSED,
    UNUSED_ALIGNMENT,
    layer_rules,
)
from .rules import Conversion, StateDict


def _projector(match: re.Match) -> str:
    part = 'norm' if match[3] == 'LayerNorm' else 'conv.conv'
    return f'{MODALITIES[match[1]]}_projector.blocks.{match[2]}.{part}.{match[4]}'


_LAYER = r'transformer\.t2v_encoder\.layers\.(\d+)\.'
_PARTS = {
    'cross_attn_1': 'clip_attention',
    'cross_attn_2': 'word_attention',
    'cross_attn_3': 'mutual_attention',
    'linear1': 'clip_linear',
    'linear2': 'word_linear',
    'linear3': 'mutual_linear',
    'linear4': 'feed_forward.0',
    'activation': 'feed_forward.1',
    'linear5': 'feed_forward.3',
    'norm1': 'clip_norm',
    'norm3': 'mutual_norm',
    'norm4': 'last_norm',
}
BICMF = tuple(
    (rf'{_LAYER}{theirs}\.(.+)', rf'fusion.layers.\1.{ours}.\2') for theirs, ours in _PARTS.items()
)
# The layer norm of the words is stored and never applied.
UNUSED_NORM = (_LAYER + r'norm2\..+',)


def _finish(state: StateDict) -> StateDict:
    # A convolution of width 1 there, a linear layer here.
    if 'refiner.mixer.weight' in state:
        state['refiner.mixer.weight'] = state['refiner.mixer.weight'].squeeze(-1)
    if 'refiner.similarity' in state:
        state['refiner.similarity'] = state['refiner.similarity'].T
    return state


VIDEOLIGHTS = Conversion(
    renames=(
        (r'input_(vid|txt)_proj\.(\d+)\.(LayerNorm|net\.1\.conv1d)\.(\w+)', _projector),
        (r'feature_refinement\.sim_w', 'refiner.similarity'),
        (r'feature_refinement\.cor_v_w', 'refiner.correspondence'),
        (r'feature_refinement\.cor_q_w', 'refiner.correspondence_scale'),
        (r'feature_refinement\.word_to_sentence_pool\.weight', 'refiner.pooling.weight'),
        (r'feature_refinement\.mixer\.conv1d\.(\w+)', r'refiner.mixer.\1'),
        *CONTEXT_TOKEN,
        *BICMF,
        *layer_rules(r'transformer\.encoder', 'encoder.layers'),
        *SPAN_DECODER,
        *PREDICTION_HEADS,
        *CONTEXT_SALIENCY,
        (r'saliency_proj_mr\.(\w+)', r'auxiliary.moment_saliency.score.proj.\1'),
        (r'gru_extractor\.gru\.(\w+)', r'auxiliary.moment_saliency.summary.gru.\1'),
    ),
    dropped=(*UNUSED, *UNUSED_ALIGNMENT, *UNUSED_NORM),
    finish=_finish,
)
