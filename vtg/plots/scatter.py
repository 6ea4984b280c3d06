# SPDX-License-Identifier: Apache-2.0
"""A metric over a number of a sweep, such as the size of the pre-training data."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vtg.utils import ConfigError, DataError, nearest_names, read_text, shown
from vtg.utils.tables import parse_csv

from .figure import LARGEST, check_picture, grid, label, legend_above, picture, short_number, styles

_FEW = 9
_ONE = ''
"""Name of the only group where there are no groups."""


@dataclass(frozen=True)
class Point:
    """Mean of a metric at ``x``, its standard deviation (NaN of one run), and how many runs."""

    x: float
    mean: float
    deviation: float
    runs: int


Groups = dict[str, list[Point]]


def plot_scatter(
    table: str | Path,
    x: str,
    y: Sequence[str],
    out: str | Path,
    by: str = '',
    log_x: bool = False,
    title: str = '',
) -> dict[str, Groups]:
    """Draw columns of a table over one of its columns, as Figure 2 of SG-DETR (arXiv 2410.01615)
    draws zero-shot mAP over the size of the pre-training data.

    Args:
        table: ``sweep.csv`` or ``runs.csv`` of a sweep, or any CSV file with a header.
        x: Column of numbers, e.g. the number of samples or ``parameters``.
        y: Metrics, one panel each. Where the table has ``<y> mean`` and ``<y> std``, these are
            drawn; else rows of equal ``x`` are the runs of one point.
        out: Picture to write.
        by: Column whose values are lines of their own.
        log_x: A logarithmic axis; 0 stands at its left end.
        title: Of the picture.

    Returns:
        The points by metric and group. Rows without a number are left out.

    Raises:
        ConfigError: A column does not exist. DataError: The file is no table, or has no numbers.
    """
    check_picture(out, [table])
    rows = read_table(table)
    found = {name: points_of(rows, x, name, by, table) for name in dict.fromkeys(y)}
    names = list(dict.fromkeys(name for groups in found.values() for name in groups))
    lines, columns = grid(len(found))
    width, height = 4.4 * columns + 0.4, 3.0 * lines + 0.3 + 0.25 * (bool(title) + len(names) // 4)
    with picture(out, width, height, [table]) as figure:
        axes = figure.subplots(lines, columns, squeeze=False).ravel()
        handles = {}
        for panel, (metric, groups) in zip(axes, found.items()):
            for name, style in zip(names, styles(len(names))):
                points = groups.get(name, [])
                handles[name] = panel.errorbar(
                    [point.x for point in points], [point.mean for point in points],
                    [0 if math.isnan(p.deviation) else p.deviation for p in points],
                    color=style['color'], marker=style['marker'], capsize=3, linewidth=1.2,
                    markersize=5,
                )  # fmt: skip
            panel.set_title(label(metric), loc='left')
            panel.set_xlabel(label(x))
            panel.grid(True, color='0.9', linewidth=0.6)
            panel.set_axisbelow(True)
            _axis(panel, sorted({p.x for points in groups.values() for p in points}), log_x)
        for panel in axes[len(found) :]:
            panel.set_axis_off()
        shown_names = [name for name in names if name != _ONE]
        if shown_names or title:
            legend_above(figure, [handles[n] for n in shown_names], shown_names, width, title)
    return found


def _axis(panel: Any, values: Sequence[float], log_x: bool) -> None:
    """The scale, and a tick at every value where these are few."""
    positive = [value for value in values if value > 0]
    if log_x and positive:
        panel.set_xscale('symlog', linthresh=positive[0], linscale=0.5)
        panel.minorticks_off()
    if len(values) <= _FEW:
        panel.set_xticks(values, [short_number(value) for value in values])
    if log_x and positive and min(values) > 0:
        panel.set_xlim(positive[0] / 1.3, positive[-1] * 1.3)


def read_table(path: str | Path) -> list[dict[str, str]]:
    """Rows of a CSV file by the names of its header.

    Raises:
        DataError: There is no header or no row, two columns have one name, or a row has another
            length.
    """
    _, rows = parse_csv(read_text(path), path)
    if not rows:
        raise DataError(f'{path} holds no table; expected a header and rows, with commas between.')
    return [row for _, row in rows]


def points_of(
    rows: Sequence[Mapping[str, str]], x: str, y: str, by: str, table: str | Path
) -> Groups:
    """The points of a metric by group, each in the order of ``x``.

    Raises:
        ConfigError: See :func:`plot_scatter`. DataError: No row has both numbers.
    """
    spread = f'{y} mean' in rows[0] and y not in rows[0]
    for name in (x, *([by] if by else []), f'{y} mean' if spread else y):
        if name not in rows[0]:
            raise _unknown(name, list(rows[0]), table)
    groups: dict[str, dict[float, list[tuple[float, Mapping[str, str]]]]] = {}
    for row in rows:
        place, value = number(row[x]), number(row[f'{y} mean' if spread else y])
        if place is not None and value is not None:
            group = groups.setdefault(row[by] if by else _ONE, {})
            group.setdefault(place, []).append((value, row))
    if not groups:
        raise DataError(
            f'{table} has no row with numbers in both {shown(x)} and {shown(y)}; name columns of '
            'numbers.'
        )
    return {
        name: [_point(place, found, y if spread else None) for place, found in sorted(at.items())]
        for name, at in groups.items()
    }


def _point(x: float, found: Sequence[tuple[float, Mapping[str, str]]], spread: str | None) -> Point:
    values = [value for value, _ in found]
    mean = statistics.fmean(values)
    if len(values) > 1:
        return Point(x, mean, statistics.stdev(values), len(values))
    row = found[0][1]
    deviation = number(row.get(f'{spread} std', '')) if spread else None
    runs = number(row.get('finished', '')) if spread else None
    return Point(x, mean, math.nan if deviation is None else deviation, int(runs or 1))


def number(text: str) -> float | None:
    """A number that a picture can show, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) <= LARGEST else None


def _unknown(name: str, known: Sequence[str], table: str | Path) -> ConfigError:
    metrics = [key.removesuffix(' mean') for key in known if not key.endswith(' std')]
    close = nearest_names(name.removesuffix(' mean'), metrics)
    hint = f'did you mean {" or ".join(close)}?' if close else f'it has {", ".join(metrics[:10])}.'
    return ConfigError(f'{table} has no column {shown(name)}; {hint}')
