# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of FlashVTG's released code."""

import re

from .aca import ADAPTIVE_ATTENTION
from .detr import CONTEXT_SALIENCY, PROJECTORS, UNUSED
from .rules import Conversion, StateDict

SCORES = 'moment_head.scores'
HEADS = {'class_head': 'within', 'conf_head': 'across'}


def pyramid_block(match: re.Match) -> str:
    """A block of the released pyramid has five layers, the convolution second, the norm fourth."""
    block, part = divmod(int(match[2]), 5)
    return f'neck.levels.{match[1]}.{block}.{"conv" if part == 1 else "norm"}.{match[3]}'


def _finish(state: StateDict) -> StateDict:
    """The released score heads are convolutions over images of height 1, and the pooling of the
    query is a linear layer."""
    pooling = 'auxiliary.nce.pooling.weight'
    if pooling in state:
        state[pooling] = state[pooling].T
    for key in list(state):
        if re.fullmatch(rf'{SCORES}\.\w+\.convs\.\d+\.conv\.weight', key):
            state[key] = state[key].squeeze(2)
    return state


FLASHVTG = Conversion(
    renames=(
        *PROJECTORS,
        *ADAPTIVE_ATTENTION,
        *CONTEXT_SALIENCY,
        (r'pyramid\.blocks\.(\d+)\.(\d+)\.(\w+)', pyramid_block),
        (r'pooling\.att\.weight', 'auxiliary.nce.pooling.weight'),
        (
            r'(class_head|conf_head)\.convs\.(\d+)\.(\w+)',
            lambda m: f'{SCORES}.{HEADS[m[1]]}.convs.{m[2]}.conv.{m[3]}',
        ),
        (
            r'(class_head|conf_head)\.fc\.layers\.(\d+)\.(\w+)',
            # Activations stand between the linear layers.
            lambda m: f'{SCORES}.{HEADS[m[1]]}.mlp.{2 * int(m[2])}.{m[3]}',
        ),
        (r'x', f'{SCORES}.balance'),
        (r'coord_head\.module\.1\.(\w+)', r'moment_head.boundary.conv1.conv.\1'),
        (r'coord_head\.module\.3\.(\w+)', r'moment_head.boundary.conv2.conv.\1'),
        (r'coef', 'moment_head.boundary.scales'),
    ),
    dropped=UNUSED,
    finish=_finish,
)
