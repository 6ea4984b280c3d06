# SPDX-License-Identifier: Apache-2.0
"""Which check belongs to which reference set, and how it is run."""

import importlib
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from vtg.engine.config import load_config
from vtg.utils import DataError, nearest_names

from .core import Row

SUFFIXES = ('.json', '.npz')


@dataclass(frozen=True)
class Check:
    """How a reference set is checked.

    A check is a function ``check(folder)`` or, with a config, ``check(folder, model)``, which gives
    a :class:`~vtg.apis.parity.core.Row` per quantity. Its module is imported when it runs.

    Attributes:
        module: Module below ``vtg.apis.parity``.
        config: Config below the folder of configs whose ``model`` is handed to the function.
        function: Name of the function.
        options: Further arguments of the function.
    """

    module: str
    config: str | None = None
    function: str = 'check'
    options: dict[str, Any] = field(default_factory=dict)

    def rows(self, folder: Path, configs: Path) -> Iterator[Row]:
        """Run the check on the set in ``folder``."""
        module = importlib.import_module(f'vtg.apis.parity.{self.module}')
        function: Callable[..., Iterator[Row]] = getattr(module, self.function)
        arguments: list[Any] = [folder]
        if self.config is not None:
            arguments.append(load_config(configs / self.config).model.to_dict())
        yield from function(*arguments, **self.options)


CHECKS: dict[str, Check] = {
    'cg_detr': Check('cg_detr', 'cg_detr/qvhl_official.py'),
    'detr_functions': Check('detr_functions'),
    'eval_edge_moment_retrieval': Check('evaluation', function='check_edge_moment_retrieval'),
    'eval_edge_qvhighlights': Check('evaluation', function='check_edge_qvhighlights'),
    'eval_real_files': Check('evaluation', function='check_real_files'),
    'flashvtg': Check('flashvtg', 'flashvtg/qvhl_official.py'),
    'moment_detr': Check('moment_detr', 'moment_detr/qvhl_official.py'),
    'nms_postprocess': Check('nms'),
    'qd_detr': Check('qd_detr', 'qd_detr/qvhl_official.py'),
    'qd_detr_audio': Check(
        'qd_detr', 'qd_detr/qvhl_official.py', options={'name': 'qd_detr_audio'}
    ),
    'saliency_labels': Check('labels'),
    'sgdetr': Check('sgdetr', 'sgdetr/qvhl_official.py'),
    'sgdetr_parts': Check('sgdetr_parts'),
    'taskweave': Check('taskweave', 'taskweave/qvhl_official.py'),
    'tr_detr': Check('tr_detr', 'tr_detr/qvhl_official.py'),
    'tvsum_metric': Check('clip_ranking', function='check_tvsum'),
    'univtg': Check('univtg', 'univtg/qvhl_official.py'),
    'videolights': Check('videolights', 'videolights/qvhl_official.py'),
    'youtube_metric': Check('clip_ranking', function='check_youtube'),
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
    try:
        yield from CHECKS[name].rows(Path(folder), Path(configs))
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        reason = ' '.join(str(error).split()) or 'no message'
        note = f'{type(error).__name__} at {Path(place.filename).name}:{place.lineno}: {reason}'
        yield Row('check broke off', float('inf'), 0.0, note)
