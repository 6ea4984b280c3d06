# SPDX-License-Identifier: Apache-2.0
"""Which check belongs to which reference set, and how it is run."""

import importlib
import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import torch
from systems import SYSTEMS

from vtg.engine.config import load_config
from vtg.utils import DataError, nearest_names

from .core import Row

SUFFIXES = ('.json', '.npz')
# Arrays that go into a comparison: inputs and weights.
INPUTS = re.compile(
    r'(?:^|/)(?:in|sd|sd_audio|sd_clip)/|^grad/param_names$|^unit/m2m/spans$|^unit/ema/weights$'
)


@dataclass(frozen=True)
class Check:
    """How a reference set is checked.

    Attributes:
        module: Module below ``reference_values``, imported when the check runs.
        function: Name of a function ``check(folder)`` that gives a
            :class:`~reference_values.core.Row` per quantity, or of a
            :class:`~reference_values.case.SystemCase`, which reads its config.
        options: Further arguments of a function.
    """

    module: str
    function: str = 'check'
    options: tuple[Any, ...] = ()

    def find(self) -> Any:
        """The function or class."""
        module = importlib.import_module(f'reference_values.{self.module}')
        return getattr(module, self.function)

    def rows(self, folder: Path, configs: Path, name: str) -> Iterator[Row]:
        """Run the check on the set ``name`` in ``folder``."""
        found = self.find()
        if not isinstance(found, type):
            yield from found(folder, *self.options)
            return
        base = load_config(configs / found.config).model.to_dict()
        yield from found.check(folder, base, name)

    def reasons(self) -> Mapping[str, str]:
        """Why stored arrays are not compared, by pattern."""
        return getattr(self.find(), 'left_out', {})


CHECKS: dict[str, Check] = {
    'bam_detr': Check('bam_detr', 'BamDetrCase'),
    'causalvtg': Check('causalvtg', 'CausalVtgCase'),
    'cg_detr': Check('cg_detr', 'CgDetrCase'),
    'detr_functions': Check('detr_functions'),
    'eatr': Check('eatr', 'EatrCase'),
    'encoder_internvideo2': Check('internvideo2', 'check_vision'),
    'encoder_internvideo2_llama': Check('internvideo2', 'check_llama'),
    'encoder_internvideo2_text': Check('internvideo2', 'check_bert'),
    'encoder_slowfast': Check('slowfast'),
    'eval_edge_moment_retrieval': Check('evaluation', 'check_edge_moment_retrieval'),
    'eval_edge_qvhighlights': Check('evaluation', 'check_edge_qvhighlights'),
    'eval_real_files': Check('evaluation', 'check_real_files'),
    'flashmmr': Check('flashmmr', 'FlashMmrCase'),
    'flashvtg': Check('flashvtg', 'FlashVtgCase'),
    'gmr': Check('gmr', 'GmrCase'),
    'la_detr': Check('la_detr', 'LaDetrCase'),
    'la_detr_momentmix': Check('momentmix'),
    'ld_detr': Check('ld_detr', 'LdDetrCase'),
    'moment_detr': Check('moment_detr', 'MomentDetrCase'),
    'more_metrics_checks': Check('analysis'),
    'nms_postprocess': Check('nms'),
    'qd_detr': Check('qd_detr', 'QdDetrCase'),
    'qd_detr_audio': Check('qd_detr', 'QdDetrCase'),
    'qvm2_metrics': Check('multi_moment'),
    'r2_tuning': Check('r2_tuning', 'R2TuningCase'),
    'saliency_labels': Check('labels'),
    'sgdetr': Check('sgdetr', 'SgDetrCase'),
    'sgdetr_parts': Check('sgdetr_parts'),
    'taskweave': Check('taskweave', 'TaskWeaveCase'),
    'tr_detr': Check('tr_detr', 'TrDetrCase'),
    'umt': Check('umt', 'UmtCase'),
    'tvsum_metric': Check('clip_ranking', 'check_tvsum'),
    'univtg': Check('univtg', 'UniVtgCase'),
    'uvcom': Check('uvcom', 'UvcomCase'),
    'videolights': Check('videolights', 'VideoLightsCase'),
    'youtube_metric': Check('clip_ranking', 'check_youtube'),
    **{f'recorded_{system}': Check('recorded', options=(system,)) for system in SYSTEMS},
}
"""The check of every known set, by the name of its files."""


def find_sets(folder: str | Path, names: Sequence[str] = ()) -> list[str]:
    """Return the names of the sets to check: all in ``folder``, or the given ones.

    Raises:
        DataError: The folder is missing or empty, or a named set is unknown or not in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f'{folder} is not a folder; give the one that holds the reference sets.')
    present = sorted({path.stem for path in folder.iterdir() if path.suffix in SUFFIXES})
    if not present:
        raise DataError(f'{folder} holds no reference set; expected NAME.json and NAME.npz files.')
    for name in names:
        if name in present:
            continue
        if name in CHECKS:
            raise DataError(
                f'{folder} does not hold the set {name!r}; expected {name}.json, it holds '
                f'{", ".join(present)}.'
            )
        close = nearest_names(name, {*CHECKS, *present})
        hint = f'did you mean {" or ".join(close)}?' if close else f'known: {", ".join(CHECKS)}.'
        raise DataError(f'there is no reference set {name!r}; {hint}')
    return list(dict.fromkeys(names)) or present


def left_out(path: Path, rows: Sequence[Row], reasons: Mapping[str, str]) -> Iterator[Row]:
    """Give a skipped row for every stored result that no row is about, so that nothing goes silent.

    A row is about the array whose name is the first word of its own name, about the arrays above it
    (``a/b`` for a row ``a/b/c``) and, where it says why they are skipped, about those below.

    Args:
        path: The arrays; a set without any has nothing to leave out.
        rows: What the check gave.
        reasons: Pattern for the end of a name to why its array is not compared.
    """
    if not path.is_file():
        return
    named = {row.name.split(' ')[0]: row.skipped for row in rows}
    above = {str(parent) for name in named for parent in PurePosixPath(name).parents}
    skipped = {name for name, is_skipped in named.items() if is_skipped}
    with np.load(path) as arrays:
        names = [name for name in arrays.files if not INPUTS.search(name)]
    for name in names:
        parents = {str(parent) for parent in PurePosixPath(name).parents}
        if name in named or name in above or parents & skipped:
            continue
        found = (why for pattern, why in reasons.items() if re.search(f'(?:^|/){pattern}$', name))
        yield Row(name, None, note=next(found, 'no row is about it'))


def run_check(name: str, folder: str | Path, configs: str | Path) -> Iterator[Row]:
    """Check one set. Whatever goes wrong in a check is a failed row, so that others still run.

    Args:
        name: Of the set.
        folder: Where its files lie.
        configs: The folder of configs.
    """
    if name not in CHECKS:
        yield Row('all', float('inf'), 0.0, 'there is no check for this set')
        return
    torch.manual_seed(0)
    rows = []
    try:
        for row in CHECKS[name].rows(Path(folder), Path(configs), name):
            rows.append(row)
            yield row
        yield from left_out(Path(folder) / f'{name}.npz', rows, CHECKS[name].reasons())
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        reason = ' '.join(str(error).split()) or 'no message'
        note = f'{type(error).__name__} at {Path(place.filename).name}:{place.lineno}: {reason}'
        yield Row('check broke off', float('inf'), 0.0, note)
