# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of EaTR's released code."""

from .detr import HEAD, PREDICTION_HEADS, PROJECTORS, SPAN_DECODER, UNUSED, layer_rules
from .rules import Conversion, Rename, StateDict

_SLOTS = r'transformer\.decoder\.slot_atten\.'
_GATE = r'transformer\.decoder\.layers\.0\.gate_'
_OURS = f'{HEAD}.decoder.layers.0.gate'
SLOT_PROJECTIONS = {'q': 'query', 'k': 'key', 'v': 'value'}


def slot_attention_rules(theirs: str, ours: str) -> tuple[Rename, ...]:
    """Rules for a slot attention; ``theirs`` is a pattern without groups that ends in a dot."""
    return (
        (theirs + r'(norm_\w+\.\w+)', rf'{ours}.\1'),
        (theirs + r'project_(\w)\.(\w+)', lambda m: f'{ours}.{SLOT_PROJECTIONS[m[1]]}.{m[2]}'),
        (theirs + r'mlp\.layers\.(\d+)\.(\w+)', lambda m: f'{ours}.mlp.{2 * int(m[1])}.{m[2]}'),
    )


def _span_rule(theirs: str, ours: str) -> Rename:
    return (theirs + r'\.layers\.(\d+)\.(\w+)', lambda m: f'{ours}.{2 * int(m[1])}.{m[2]}')


def _finish(state: StateDict) -> StateDict:
    """Keep of the attention to one text vector what has an effect: the projection of its values."""
    for name in ('weight', 'bias'):
        key = f'{_OURS}.text_value.{name}'
        if key in state:
            state[key] = state[key].chunk(3)[-1]
    return state


EATR = Conversion(
    renames=(
        *PROJECTORS,
        *layer_rules(r'transformer\.encoder', 'encoder.layers'),
        (_SLOTS + 'slots', f'{HEAD}.queries.slots'),
        *slot_attention_rules(_SLOTS, f'{HEAD}.queries.attention'),
        (r'transformer\.decoder\.event_norm\.(\w+)', rf'{HEAD}.queries.event_norm.\1'),
        _span_rule(r'(?:transformer\.decoder\.)?event_span_embed', f'{HEAD}.queries.span_head'),
        # Layers refine with the perceptron that predicts; it has both names here as well.
        _span_rule('moment_span_embed', f'{HEAD}.span_head'),
        _span_rule(r'transformer\.decoder\.moment_span_embed', f'{HEAD}.decoder.refine'),
        (_GATE + r'cross_attn\.in_proj_(\w+)', rf'{_OURS}.text_value.\1'),
        (_GATE + r'cross_attn\.out_proj\.(\w+)', rf'{_OURS}.text_out.\1'),
        (_GATE + r'self_attn\.(.+)', rf'{_OURS}.attention.\1'),
        (_GATE + r'linear\.(\w+)', rf'{_OURS}.out.\1'),
        (_GATE + r'norm\.(\w+)', rf'{_OURS}.norm.\1'),
        *SPAN_DECODER,
        *PREDICTION_HEADS,
        (r'saliency_proj\.(\w+)', r'saliency_head.score.\1'),
    ),
    # One of its two copies.
    dropped=(*UNUSED, r'transformer\.decoder\.event_span_embed\..+'),
    finish=_finish,
)
