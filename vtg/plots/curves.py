# SPDX-License-Identifier: Apache-2.0
"""Losses and metrics of runs over their epochs, laid beside each other."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

from vtg.utils import ConfigError
from vtg.utils.optional import require

from .figure import (
    check_picture,
    grid,
    label,
    legend_above,
    picture,
    plain_log_axis,
    styles,
)
from .logs import RunLog, read_runs, unknown_name

DEFAULT = (
    'loss', 'MR-full-mAP', 'MR-full-R1@0.5', 'MR-full-R1@0.7', 'HL-min-VeryGood-mAP',
    'HL-min-VeryGood-Hit1',
)  # fmt: skip
_MOST = 24
_FEW_POINTS = 45


def plot_curves(
    texts: Sequence[str],
    out: str | Path,
    names: Sequence[str] = (),
    title: str = '',
    log_scale: bool = False,
) -> tuple[list[RunLog], Path]:
    """Draw the curves of runs, one panel per name.

    A curve of validation beside one of training is dashed.

    Args:
        texts: ``[NAME=]PATH`` of every run, see :func:`vtg.plots.logs.read_run`.
        out: Picture to write.
        names: Curves; patterns such as ``loss_span*`` stand for all that match. By default the loss
            and the main metrics of QVHighlights that any run has, else everything that is no term
            of the loss.
        title: Above the panels.
        log_scale: Logarithmic axes for losses.

    Returns:
        The runs and the picture.

    Raises:
        ConfigError, DataError: See :func:`vtg.plots.logs.read_run`; no run has a curve of a name;
            or a run has epochs and another only steps.
    """
    check_picture(out)
    runs = read_runs(texts)
    check_picture(out, [file for run in runs for file in run.files])
    units = {run.unit for run in runs}
    if len(units) > 1:
        steps = next(run.name for run in runs if run.unit == 'step')
        raise ConfigError(
            f'{steps} counts steps and no epochs, which others do, so they have no common axis; '
            'draw them apart.'
        )
    shown = _chosen(runs, names)
    rows, columns = grid(len(shown))
    width, height = 3.6 * columns + 0.4, 2.4 * rows + 0.3 + 0.2 * (1 + len(runs) // (3 * columns))
    with picture(out, width, height) as figure:
        axes = figure.subplots(rows, columns, squeeze=False, sharex=True).ravel()
        drawn, dashed = {}, False
        for panel, name in zip(axes, shown):
            for run, style in zip(runs, styles(len(runs))):
                train, val = run.find(name)
                dashed |= train is not None and val is not None
                for curve, line in ((val, '--' if train is not None else '-'), (train, '-')):
                    if curve is not None:
                        drawn[run.name] = _line(panel, curve, style, line)
            _finish(panel, name, log_scale)
        for panel in axes[len(shown) :]:
            panel.set_axis_off()
        for column in range(columns):
            last = max(i for i in range(len(shown)) if i % columns == column)
            axes[last].set_xlabel(f'{runs[0].unit}s')
            axes[last].tick_params(labelbottom=True)
        if dashed:
            drawn['dashed: validation'] = _example()
        legend_above(figure, list(drawn.values()), list(drawn), width, title)
    return runs, Path(out)


def _example() -> Any:
    lines = require('matplotlib.lines', 'a picture')
    return lines.Line2D([], [], color='0.4', linestyle='--')


def _line(panel: Any, curve: Any, style: dict[str, Any], line: str) -> Any:
    marked = len(curve.epochs) <= _FEW_POINTS
    kept = np.isfinite(curve.values)
    (handle,) = panel.plot(
        curve.epochs[kept], curve.values[kept], line, color=style['color'],
        marker=style['marker'] if marked else None, markersize=3, linewidth=1.2, alpha=0.9,
        markevery=max(1, len(curve.epochs) // 20),
    )  # fmt: skip
    return handle


def _finish(panel: Any, name: str, log_scale: bool) -> None:
    panel.set_title(label(name), loc='left')
    panel.grid(True, color='0.9', linewidth=0.6)
    panel.set_axisbelow(True)
    if log_scale and name.startswith('loss'):
        plain_log_axis(panel, 'y')


def _chosen(runs: Sequence[RunLog], names: Sequence[str]) -> list[str]:
    known = list(dict.fromkeys(key for run in runs for key in run.names()))
    if not names:
        found = [name for name in DEFAULT if name in known]
        return found if len(found) > 1 else ([n for n in known if not n.startswith('loss_')][:_MOST]
                                             or known[:_MOST])  # fmt: skip
    chosen: dict[str, None] = {}
    for name in names:
        some = [key for key in known if fnmatchcase(key, name)]
        if not some and any(curve is not None for run in runs for curve in run.find(name)):
            some = [name]
        if not some:
            raise unknown_name(name, runs)
        chosen |= dict.fromkeys(some)
    if len(chosen) > _MOST:
        raise ConfigError(
            f'{len(chosen)} curves are asked for, and a picture has room for {_MOST}; name fewer '
            'with --curves.'
        )
    return list(chosen)
