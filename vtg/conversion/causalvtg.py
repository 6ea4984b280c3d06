# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of CausalVTG's released code on nncore 0.4."""

from .flashvtg import pyramid_block
from .rules import Conversion, StateDict
from .umt import attention, pack

FUSION, HEAD = 'fusion', 'moment_head'
_BLOCK = f'{FUSION}.temporal.blocks.0'
_NORMS = {'cross_att_norm': 0, 'self_att_norm': 1, 'ffn_norm': 2}
_MODALITIES = {'video': 'video', 'query': 'text'}
_GATES = {'aug': 'found', 'ori': 'own'}
# The first convolution of the class head is followed by the last one.
_CLASS = {'1': 'convs.0', '3': 'last_conv'}
_CONTEXT_QUERY = {'w4C': 'clip_weight', 'w4Q': 'word_weight', 'w4mlu': 'product_weight'}


def _finish(state: StateDict) -> StateDict:
    """The pooling is a linear layer there, a linear layer a convolution, and the dictionaries have
    a batch axis."""
    state = pack(state)
    for key, value in list(state.items()):
        if key == 'refiner.sentence.pooling.weight':
            state[key] = value.T
        elif key == f'{FUSION}.context_query.attended.weight':
            state[key] = value.squeeze(-1)
        elif key.endswith('.dictionary'):
            state[key] = value.squeeze(0)
    return state


_MAP, _DOOR = r'adapter\.(video|query)_map', r'adapter\.(video|query)_front_door_encoder'

CAUSALVTG = Conversion(
    renames=(
        (
            rf'{_MAP}\.(\d)\.(\w+)',
            lambda m: f'{_MODALITIES[m[1]]}_projector.layers.{m[2]}.{m[3]}',
        ),
        (
            rf'{_MAP}_cluster_mean\.(\d)\.(\w+)',
            lambda m: f'refiner.{_MODALITIES[m[1]]}.summary.{m[2]}.{m[3]}',
        ),
        (
            r'adapter\.(video|query)_memory',
            lambda m: f'refiner.{_MODALITIES[m[1]]}.dictionary',
        ),
        (
            rf'{_DOOR}\.cross_attn2\.(\w+)\.(\w+)',
            lambda m: f'refiner.{_MODALITIES[m[1]]}.{m[2]}.{m[3]}',
        ),
        (
            rf'{_DOOR}\.fusion\.(\w+)_linear\.(\w+)',
            lambda m: f'refiner.{_MODALITIES[m[1]]}.gate_{_GATES[m[2]]}.{m[3]}',
        ),
        (rf'{_DOOR}\.ln\.(\w+)', lambda m: f'refiner.{_MODALITIES[m[1]]}.norm.{m[2]}'),
        (r'pooling\.att\.weight', 'refiner.sentence.pooling.weight'),
        (
            r'adapter\.cq_attention\.(w4\w+)',
            lambda m: f'{FUSION}.context_query.{_CONTEXT_QUERY[m[1]]}',
        ),
        (
            r'adapter\.cq_attention\.cqa_linear\.conv1d\.(\w+)',
            rf'{FUSION}.context_query.attended.\1',
        ),
        *attention(r'adapter\.tem\.(?P<which>cross|self)_att', rf'{_BLOCK}.\g<which>_attention'),
        (
            rf'adapter\.tem\.({"|".join(_NORMS)})\.(\w+)',
            lambda m: f'{_BLOCK}.norms.{_NORMS[m[1]]}.{m[2]}',
        ),
        (r'adapter\.tem\.ffn\.mapping\.0\.(\w+)', rf'{_BLOCK}.feed_forward.0.\1'),
        # Dropout stands between the layers here.
        (r'adapter\.tem\.ffn\.mapping\.2\.(\w+)', rf'{_BLOCK}.feed_forward.3.\1'),
        (r'pyramid\.blocks\.(\d+)\.(\d+)\.(\w+)', pyramid_block),
        (
            r'class_head\.module\.([13])\.(\w+)',
            lambda m: f'{HEAD}.scores.within.{_CLASS[m[1]]}.conv.{m[2]}',
        ),
        (r'coord_head\.module\.1\.(\w+)', rf'{HEAD}.boundary.conv1.conv.\1'),
        (r'coord_head\.module\.3\.(\w+)', rf'{HEAD}.boundary.conv2.conv.\1'),
        (r'coef', f'{HEAD}.boundary.scales'),
        (r'contrastive_head\.0\.(\w+)', r'auxiliary.answerability.norm.\1'),
        (r'contrastive_head\.1\.(\w+)', r'auxiliary.answerability.score.\1'),
    ),
    # The result of the first attention is thrown away; the temperature is no parameter.
    dropped=(rf'{_DOOR}\.self_attn1\..+', r'loss\._loss_sal\.scale', r'generator\..+'),
    finish=_finish,
)
