# SPDX-License-Identifier: Apache-2.0
"""Conversion of published checkpoints.

``CONVERSIONS`` maps the name of a system to its rules; :func:`convert_checkpoint` applies them to a
file.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vtg.utils import CheckpointError, atomic_write, nearest_names

from .cg_detr import CG_DETR
from .flashvtg import FLASHVTG
from .moment_detr import MOMENT_DETR
from .qd_detr import QD_DETR
from .rules import Conversion, StateDict
from .sgdetr import SGDETR
from .tr_detr import TR_DETR
from .univtg import UNIVTG
from .videolights import VIDEOLIGHTS
from .taskweave import TASKWEAVE

CONVERSIONS: dict[str, Conversion] = {
    'cg_detr': CG_DETR,
    'flashvtg': FLASHVTG,
    'moment_detr': MOMENT_DETR,
    'qd_detr': QD_DETR,
    'sgdetr': SGDETR,
    'tr_detr': TR_DETR,
    'univtg': UNIVTG,
    'videolights': VIDEOLIGHTS,
    'taskweave': TASKWEAVE,
}

__all__ = ['CONVERSIONS', 'Conversion', 'StateDict', 'convert_checkpoint', 'convert_state_dict']


def convert_state_dict(system: str, state: StateDict) -> StateDict:
    """Rename the published keys of ``system``.

    Raises:
        CheckpointError: The system is unknown or a key has no place.
    """
    if system not in CONVERSIONS:
        close = nearest_names(system, CONVERSIONS) or sorted(CONVERSIONS)
        raise CheckpointError(f'no conversion for {system!r}; known are {", ".join(close)}.')
    return CONVERSIONS[system](state)


def read_published(path: str | Path) -> StateDict:
    """Read the weights of a published checkpoint without executing anything it may contain.

    Lightning files hold them under ``state_dict`` with the prefix ``model.``, most others under
    ``model``; a bare state dict is fine too.

    Raises:
        CheckpointError: The file is missing, needs more than tensors, or holds no weights.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f'{path} does not exist; give the path of the published checkpoint.')
    try:
        content: Any = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:
        reason = str(error).split('\n')[0]
        raise CheckpointError(
            f'{path} cannot be read as plain tensors ({reason}); files that carry code are refused.'
        ) from None
    for key in ('state_dict', 'model'):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict) or not content:
        raise CheckpointError(f'{path} holds no weights; expected a dict of tensors.')
    weights = {key: value for key, value in content.items() if isinstance(value, Tensor)}
    if len(weights) != len(content):
        other = sorted(set(content) - set(weights))[:5]
        raise CheckpointError(f'{path} holds entries that are no tensors: {", ".join(other)}.')
    if all(key.startswith('model.') for key in weights):
        weights = {key.removeprefix('model.'): value for key, value in weights.items()}
    return weights


def convert_checkpoint(system: str, source: str | Path, target: str | Path) -> StateDict:
    """Convert the checkpoint ``source`` of ``system`` and write it to ``target``.

    Returns:
        The converted weights, as written under ``state_dict``.
    """
    weights = convert_state_dict(system, read_published(source))
    with atomic_write(target) as temporary:
        torch.save({'state_dict': weights, 'meta': {'converted_from': system}}, temporary)
    return weights
