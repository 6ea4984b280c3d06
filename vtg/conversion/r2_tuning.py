# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of R2-Tuning's released code on nncore 0.4."""

import torch

from .flashvtg import pyramid_block
from .rules import Conversion, StateDict
from .umt import attention, pack

FUSION, HEAD = 'fusion', 'moment_head'
_NORMS = {'cross_att_norm': 0, 'self_att_norm': 1, 'ffn_norm': 2}
_WIDTHS = {'conv1': None, 'conv2': 2}


def _finish(state: StateDict) -> StateDict:
    """The pooling is a linear layer there, projections of attention are apart, and a model for
    highlights alone has no offsets: those here start at one stride."""
    state = pack(state)
    pooling = f'{FUSION}.pooling.weight'
    if pooling in state:
        state[pooling] = state[pooling].T
    kernel = state.get(f'{HEAD}.scores.within.convs.0.conv.weight')
    for name, width in _WIDTHS.items():
        key = f'{HEAD}.boundary.{name}.conv'
        if kernel is not None and f'{key}.weight' not in state:
            channels = width or len(kernel)
            state[f'{key}.weight'] = torch.zeros_like(kernel)[:channels]
            state[f'{key}.bias'] = kernel.new_zeros(channels)
    return state


R2_TUNING = Conversion(
    renames=(
        (r'adapter\.video_map\.(\d)\.(\w+)', r'video_projector.layers.\1.\2'),
        (r'adapter\.query_map\.(\d)\.(\w+)', r'text_projector.layers.\1.\2'),
        (r'adapter\.v_map\.(\w+)', rf'{FUSION}.patch_proj.\1'),
        (r'adapter\.q_map\.(\w+)', rf'{FUSION}.word_proj.\1'),
        (r'adapter\.scale', f'{FUSION}.pooled_scales'),
        (r'adapter\.gate', f'{FUSION}.gates'),
        *attention(
            r'adapter\.tem\.(?P<which>cross|self)_att', rf'{FUSION}.block.\g<which>_attention'
        ),
        (
            rf'adapter\.tem\.({"|".join(_NORMS)})\.(\w+)',
            lambda match: f'{FUSION}.block.norms.{_NORMS[match[1]]}.{match[2]}',
        ),
        (r'adapter\.tem\.ffn\.mapping\.0\.(\w+)', rf'{FUSION}.block.feed_forward.0.\1'),
        # Dropout stands between the layers here.
        (r'adapter\.tem\.ffn\.mapping\.2\.(\w+)', rf'{FUSION}.block.feed_forward.3.\1'),
        (r'pyramid\.blocks\.(\d+)\.(\d+)\.(\w+)', pyramid_block),
        (r'pooling\.att\.weight', f'{FUSION}.pooling.weight'),
        (r'class_head\.module\.1\.(\w+)', rf'{HEAD}.scores.within.convs.0.conv.\1'),
        (r'class_head\.module\.3\.(\w+)', rf'{HEAD}.scores.within.last_conv.conv.\1'),
        (r'coord_head\.module\.1\.(\w+)', rf'{HEAD}.boundary.conv1.conv.\1'),
        (r'coord_head\.module\.3\.(\w+)', rf'{HEAD}.boundary.conv2.conv.\1'),
        (r'coef', f'{HEAD}.boundary.scales'),
    ),
    # The temperature, and the backbone where it is inside of the model.
    dropped=(r'loss\._loss_sal\.scale', r'clip\..+'),
    finish=_finish,
)
