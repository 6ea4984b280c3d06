# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of LD-DETR's released code."""

import re

import torch

from .detr import HEAD, SPAN_DECODER, UNUSED, layer_rules
from .rules import Conversion, Rename, StateDict

# Convolutions of width 1 there, linear layers here.
POINTWISE = ('refiner.attended.weight', 'refiner.mix.weight')
_DISTILLATION = 'auxiliary.distillation'
_LAYERS = {'norm1': 0, 'linear1': 2, 'norm2': 4, 'linear2': 6}


def _projector(match: re.Match) -> str:
    place = f'{match[2]}_projector'
    if match[1]:
        place = f'{_DISTILLATION}.teachers.{place}.0'
    return f'{place}.layers.{_LAYERS[match[3]]}.{match[4]}'


def _finish(state: StateDict) -> StateDict:
    """Bring shapes to those here, and leave the warm-up of the distillation behind."""
    state |= {key: state[key].squeeze(-1) for key in POINTWISE if key in state}
    if f'{_DISTILLATION}.queue_ptr' in state:
        state[f'{_DISTILLATION}.steps'] = torch.tensor(10**9)
    return state


_FUSER = r'convolutional_fuser\.'
_REFINER = _FUSER + r'v2t_extractor\.'
_BLOCK = _FUSER + r'convolutional_block\.blocks\.(\d+)\.'
_MOMENTS = r'prediction_heads\.video_moment_retrieval_prediction_head\.'
_HIGHLIGHTS = r'prediction_heads\.highlight_detection_prediction_head\.'


def _looped(rule: Rename) -> Rename:
    """The same rule for a decoder inside of another."""
    pattern, replacement = rule

    def rename(match: re.Match) -> str:
        name = replacement(match) if callable(replacement) else match.expand(replacement)
        return name.replace(f'{HEAD}.decoder.', f'{HEAD}.decoder.decoder.', 1)

    theirs = r'loop_decoder\.transformer_decoder'
    return pattern.replace(r'transformer\.decoder', theirs), rename


LD_DETR = Conversion(
    renames=(
        (r'(momentum_)?(video|text)_encoder\.(norm\d|linear\d)\.(\w+)', _projector),
        (_REFINER + 'w4C', 'refiner.clip_weight'),
        (_REFINER + 'w4Q', 'refiner.word_weight'),
        (_REFINER + 'w4mlu', 'refiner.product_weight'),
        (_REFINER + r'cqa_linear\.(\w+)', r'refiner.attended.\1'),
        (_REFINER + r'conv1d\.(\w+)', r'refiner.mix.\1'),
        (_REFINER + 'weight', 'refiner.pooling.weight'),
        *layer_rules(_FUSER + 't2v_encoder', 'fusion'),
        *layer_rules(_FUSER + 'transformer_encoder1', 'encoder.first.layers'),
        *layer_rules(_FUSER + 'transformer_encoder2', 'encoder.second.layers'),
        (_BLOCK + r'conv(\d)\.(\w+)', r'encoder.blocks.blocks.\1.conv\2.conv.\3'),
        (_BLOCK + r'bn(\d)\.(\w+)', r'encoder.blocks.blocks.\1.norm\2.\3'),
        *map(_looped, SPAN_DECODER),
        (_MOMENTS + r'class_embed\.(\w+)', rf'{HEAD}.class_head.\1'),
        (
            _MOMENTS + r'span_embed(\d)\.(\w+)',
            lambda match: f'{HEAD}.span_head.{2 * int(match[1]) - 2}.{match[2]}',
        ),
        (_HIGHLIGHTS + r'gru\.(\w+)', r'feedback.moments.summary.gru.\1'),
        (_HIGHLIGHTS + r'saliency_proj\.(\w+)', r'saliency_head.score.proj.\1'),
        (r'distill_align\.temp', f'{_DISTILLATION}.temperature'),
        (r'distill_align\.vid_queue', f'{_DISTILLATION}.video_queue'),
        (r'distill_align\.txt_queue', f'{_DISTILLATION}.text_queue'),
        (r'distill_align\.queue_ptr', f'{_DISTILLATION}.queue_ptr'),
        (r'distill_align\.h\.(\w+)', r'auxiliary.prediction.map.\1'),
    ),
    dropped=UNUSED,
    finish=_finish,
)
