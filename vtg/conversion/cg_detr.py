# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of CG-DETR's released code."""

from .aca import ADAPTIVE_ATTENTION
from .detr import (
    CONTEXT_SALIENCY,
    PREDICTION_HEADS,
    PROJECTORS,
    SPAN_DECODER,
    UNUSED,
    layer_rules,
)
from .rules import Conversion, StateDict

LEARNER = 'auxiliary.correlation'


def _finish(state: StateDict) -> StateDict:
    """Bring single tokens into our shapes."""
    for encoder in ('moment_encoder', 'sentence_encoder'):
        for name in ('token', 'position'):
            key = f'{LEARNER}.{encoder}.{name}'
            if key in state:
                state[key] = state[key].reshape(1, -1)
    if 'encoder.context_position' in state:
        state['encoder.context_position'] = state['encoder.context_position'].flatten()
    return state


CG_DETR = Conversion(
    renames=(
        *PROJECTORS,
        *ADAPTIVE_ATTENTION,
        (r'global_rep_token', 'fusion.context.prompts'),
        (r'global_rep_pos', 'encoder.context_position'),
        *layer_rules(r'transformer\.mcls_encoder', f'{LEARNER}.moment_encoder.layers'),
        *layer_rules('scls_encoder', f'{LEARNER}.sentence_encoder.layers'),
        (r'moment_rep_token', f'{LEARNER}.moment_encoder.token'),
        (r'moment_rep_pos', f'{LEARNER}.moment_encoder.position'),
        (r'sent_rep_token', f'{LEARNER}.sentence_encoder.token'),
        (r'sent_rep_pos', f'{LEARNER}.sentence_encoder.position'),
        *SPAN_DECODER,
        *PREDICTION_HEADS,
        *CONTEXT_SALIENCY,
    ),
    # The text projection of an earlier version is never called.
    dropped=(*UNUSED, r'txt_proj_linear\..+'),
    finish=_finish,
)
