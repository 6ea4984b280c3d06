# SPDX-License-Identifier: Apache-2.0
"""Conversion of published checkpoints.

``CONVERSIONS`` maps the name of a system to its rules; :func:`convert_checkpoint` applies them to a
file.
"""

from pathlib import Path

import torch

from vtg.utils import CheckpointError, atomic_write, check_output, check_replaceable, nearest_names

from .bam_detr import BAM_DETR
from .causalvtg import CAUSALVTG
from .cg_detr import CG_DETR
from .eatr import EATR
from .flashmmr import FLASHMMR
from .flashvtg import FLASHVTG
from .la_detr import LA_DETR
from .ld_detr import LD_DETR
from .moment_detr import MOMENT_DETR
from .qd_detr import QD_DETR
from .r2_tuning import R2_TUNING
from .released import read_published
from .rules import Conversion, StateDict
from .sgdetr import SGDETR
from .taskweave import TASKWEAVE
from .tr_detr import TR_DETR
from .umt import UMT
from .univtg import UNIVTG
from .uvcom import UVCOM
from .videolights import VIDEOLIGHTS

CONVERSIONS: dict[str, Conversion] = {
    'bam_detr': BAM_DETR,
    'causalvtg': CAUSALVTG,
    'cg_detr': CG_DETR,
    'eatr': EATR,
    'flashmmr': FLASHMMR,
    'flashvtg': FLASHVTG,
    'la_detr': LA_DETR,
    'ld_detr': LD_DETR,
    'moment_detr': MOMENT_DETR,
    'qd_detr': QD_DETR,
    'r2_tuning': R2_TUNING,
    'sgdetr': SGDETR,
    'tr_detr': TR_DETR,
    'umt': UMT,
    'univtg': UNIVTG,
    'uvcom': UVCOM,
    'videolights': VIDEOLIGHTS,
    'taskweave': TASKWEAVE,
}

__all__ = [
    'CONVERSIONS',
    'Conversion',
    'StateDict',
    'convert_checkpoint',
    'convert_state_dict',
    'read_published',
]


def convert_state_dict(system: str, state: StateDict) -> StateDict:
    """Rename the published keys of ``system``.

    Raises:
        CheckpointError: The system is unknown or a key has no place.
    """
    if system not in CONVERSIONS:
        close = nearest_names(system, CONVERSIONS) or sorted(CONVERSIONS)
        raise CheckpointError(f'no conversion for {system!r}; known are {", ".join(close)}.')
    return CONVERSIONS[system](state)


def convert_checkpoint(system: str, source: str | Path, target: str | Path) -> StateDict:
    """Convert the checkpoint ``source`` of ``system`` and write it to ``target``.

    Returns:
        The converted weights, as written under ``state_dict``.

    Raises:
        CheckpointError: ``source`` cannot be read or a key has no place.
        ConfigError: ``target`` is ``source``, or exists and was not written here.
    """
    check_output(target, [source])
    check_replaceable(target, _converted, 'a converted checkpoint')
    weights = convert_state_dict(system, read_published(source))
    with atomic_write(target) as temporary:
        torch.save({'state_dict': weights, 'meta': {'converted_from': system}}, temporary)
    return weights


def _converted(path: Path) -> bool:
    return 'converted_from' in torch.load(path, map_location='cpu', weights_only=True)['meta']
