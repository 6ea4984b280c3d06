# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of UVCOM's released code, without and with audio."""

import re

from .detr import (
    CONTEXT_SALIENCY,
    HEAD,
    PREDICTION_HEADS,
    PROJECTORS,
    SPAN_DECODER,
    UNUSED,
    layer_rules,
)
from .eatr import slot_attention_rules
from .rules import Conversion, StateDict

_INTEGRATION, _CONTRAST = 'fusion.integration', 'auxiliary.contrast'
_HEADS = {'vid': 'video_head', 'txt': 'text_head'}
_AUDIO = 'video_projector.streams.1.'


def _audio(match: re.Match) -> str:
    """A released block has LayerNorm and Linear; ours lists four layers a block."""
    index = 4 * int(match[1]) + (0 if match[2] == 'LayerNorm' else 2)
    return f'{_AUDIO}{index}.{match[3]}'


def _finish(state: StateDict) -> StateDict:
    """With audio the video is the first of two streams."""
    if any(name.startswith(_AUDIO) for name in state):
        state = {
            re.sub(r'^video_projector\.layers', 'video_projector.streams.0', name): value
            for name, value in state.items()
        }
    return state


UVCOM = Conversion(
    renames=(
        *PROJECTORS,
        (r'input_audio_proj\.(\d+)\.(LayerNorm|net\.1)\.(\w+)', _audio),
        *layer_rules(r'CIM\.t2v_encoder', 'fusion.attention'),
        *layer_rules(r'CIM\.v2t_encoder', 'refiner'),
        *layer_rules(r'CIM\.GKA_Module', 'encoder.layers'),
        (r'global_rep_pos', 'encoder.context_position'),
        (r'CIM\.txt_mu', f'{_INTEGRATION}.text_clusters.centres'),
        (r'CIM\.vid_mu', f'{_INTEGRATION}.video_clusters.centres'),
        (r'CIM\.feature_proj\.(.+)', rf'{_INTEGRATION}.sentence_proj.\1'),
        (r'CIM\.conv_local\.(\d+)\.(\w+)', rf'{_INTEGRATION}.local.\1.conv.\2'),
        (
            r'CIM\.sim_(vid|txt)\.layers\.(\d+)\.(\w+)',
            lambda m: f'{_CONTRAST}.{_HEADS[m[1]]}.{2 * int(m[2])}.{m[3]}',
        ),
        *slot_attention_rules(r'CIM\.processer_for_tgt\.', f'{HEAD}.queries.attention'),
        (r'CIM\.decoder\.span_embed\.weight', f'{HEAD}.queries.slots'),
        *((theirs.replace('transformer', 'CIM', 1), ours) for theirs, ours in SPAN_DECODER),
        *PREDICTION_HEADS,
        *CONTEXT_SALIENCY,
    ),
    # The learned token is overwritten before anything reads it.
    dropped=(*UNUSED, 'global_rep_token'),
    finish=_finish,
)
