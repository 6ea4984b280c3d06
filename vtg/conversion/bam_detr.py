# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of BAM-DETR's released code."""

import re

from .detr import (
    CONTEXT_SALIENCY,
    CONTEXT_TOKEN,
    HEAD,
    PROJECTORS,
    SPAN_DECODER,
    UNUSED,
    feed_forward_rules,
    layer_rules,
)
from .rules import Conversion

_DECODER = r'transformer\.decoder\.'
_BOUNDARY = _DECODER + r'boundary_layers\.(\d+\.\d+)\.'
_PLACE = rf'{HEAD}.decoder.boundaries.\1.'
_ATTENTION = {
    'point_weights': 'weights',
    'point_offsets': 'offsets',
    'value_proj': 'value',
    'output_proj': 'output',
}


def _refine(match: re.Match) -> str:
    return f'{HEAD}.decoder.refine.{match[1]}.{2 * int(match[2])}.{match[3]}'


def _quality(match: re.Match) -> str:
    layer = int(match[1])
    place = 'class_head' if layer == 2 else f'decoder.readout.0.{2 * layer}'
    return f'{HEAD}.{place}.{match[2]}'


BAM_DETR = Conversion(
    renames=(
        *PROJECTORS,
        *CONTEXT_TOKEN,
        *layer_rules(r'transformer\.t2v_encoder', 'fusion'),
        *layer_rules(r'transformer\.encoder', 'encoder.layers'),
        (
            _DECODER + r'boundary_conv_(left|right)\.(\d)\.(\w+)',
            lambda match: f'neck.{match[1]}.{int(match[2]) // 2}.conv.{match[3]}',
        ),
        (
            _BOUNDARY + r'boundary_deformation\.(\w+)\.(\w+)',
            lambda match: (
                f'{HEAD}.decoder.boundaries.{match[1]}.attention.{_ATTENTION[match[2]]}.{match[3]}'
            ),
        ),
        *feed_forward_rules(_BOUNDARY, _PLACE),
        (_BOUNDARY + r'norm2\.(\w+)', rf'{_PLACE}norm1.\2'),
        (_BOUNDARY + r'norm3\.(\w+)', rf'{_PLACE}norm2.\2'),
        # The same tensors, stored twice.
        (
            r'(?:transformer\.decoder\.bbox|span)_embed\.(\d+\.\d)\.layers\.(\d)\.(\w+)',
            _refine,
        ),
        (
            _DECODER + r'query_scale\.0\.layers\.(\d)\.(\w+)',
            lambda match: f'{HEAD}.decoder.query_scale.{2 * int(match[1])}.{match[2]}',
        ),
        *SPAN_DECODER,
        (r'transformer\.tgt_embed\.weight', f'{HEAD}.queries.content'),
        (r'quality_pred\.layers\.(\d)\.(\w+)', _quality),
        *CONTEXT_SALIENCY,
    ),
    dropped=(
        *UNUSED,
        # A text encoder whose result is thrown away, with its token.
        r'transformer\.txt_encoder\..+',
        r'global_rep_(token|pos)_txt',
        # Computed and not used, or never called.
        _DECODER + r'query_scale\.[12]\..+',
        _DECODER + r'ref_point_head_boundary\..+',
        _BOUNDARY + r'norm1\.\w+',
        # Class heads with weight 0 that no score reads.
        r'class_embed\..+',
        # Stored a second time.
        r'span_embed\..+',
        r'transformer\.saliency_proj\d\..+',
    ),
)
