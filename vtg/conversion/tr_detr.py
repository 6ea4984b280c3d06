# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of TR-DETR's released code."""

from .detr import PREDICTION_HEADS, PROJECTORS, SPAN_DECODER, UNUSED, UNUSED_ALIGNMENT, layer_rules
from .rules import Conversion, StateDict

# Convolutions of width 1 there, linear layers here.
POINTWISE = ('refiner.attended.weight', 'refiner.mix.weight')


def _finish(state: StateDict) -> StateDict:
    return state | {key: state[key].squeeze(-1) for key in POINTWISE if key in state}


_ATTENTION = r'fuser\.cq_attention\.'

TR_DETR = Conversion(
    renames=(
        *PROJECTORS,
        (_ATTENTION + 'w4C', 'refiner.clip_weight'),
        (_ATTENTION + 'w4Q', 'refiner.word_weight'),
        (_ATTENTION + 'w4mlu', 'refiner.product_weight'),
        (_ATTENTION + r'cqa_linear\.conv1d\.(\w+)', r'refiner.attended.\1'),
        (r'fuser\.cq_concat\.weighted_pool\.weight', 'refiner.pooling.weight'),
        (r'fuser\.cq_concat\.conv1d\.conv1d\.(\w+)', r'refiner.mix.\1'),
        *layer_rules(r'transformer\.t2v_encoder', 'fusion'),
        *layer_rules(r'transformer\.encoder', 'encoder.layers'),
        *SPAN_DECODER,
        *PREDICTION_HEADS,
        (r'gru_extractor\.gru\.(\w+)', r'feedback.moments.summary.gru.\1'),
        (r'saliency_proj1\.(\w+)', r'saliency_head.score.proj.\1'),
    ),
    dropped=(*UNUSED, *UNUSED_ALIGNMENT),
    finish=_finish,
)
