# SPDX-License-Identifier: Apache-2.0
"""Plots as inline SVG, without a library and without a script."""

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

COLOURS = (
    '#0072b2', '#d55e00', '#cc79a7', '#e69f00', '#56b4e9', '#7a5cc0', '#8c6d31', '#666666',
)  # fmt: skip
"""Of models, in their order; those of the timelines, distinguishable for the colour-blind."""
_WIDTH, _HEIGHT = 480, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 10, 10, 44
_ASKEW = 16
_GRID, _INK = '#e8ebef', '#9aa4af'


@dataclass(frozen=True)
class Axis:
    """An axis: its name and ends."""

    name: str
    low: float
    high: float

    def ticks(self) -> list[float]:
        """About five round numbers."""
        span = self.high - self.low
        raw = span / 5
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        return [step * n for n in range(first, math.floor(self.high / step + 1e-9) + 1)]

    def place(self, value: float) -> float:
        """The share of the axis before a value, kept inside."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)


def _x(axis: Axis, value: float) -> float:
    return _LEFT + axis.place(value) * (_WIDTH - _LEFT - _RIGHT)


def _y(axis: Axis, value: float) -> float:
    return _HEIGHT - _BOTTOM - axis.place(value) * (_HEIGHT - _TOP - _BOTTOM)


def _figure(title: str, body: str, legend: str = '', more: int = 0) -> str:
    """A figure; ``more`` is added to its height."""
    escaped, box = html.escape(title), f'0 0 {_WIDTH} {_HEIGHT + more}'
    return (
        f'<figure><figcaption>{escaped}</figcaption>'
        f'<svg viewBox="{box}" role="img" aria-label="{escaped}">{body}</svg>{legend}</figure>'
    )


def legend_of(names: Sequence[str], colours: Sequence[str] = COLOURS) -> str:
    """Names with their colours."""
    items = ''.join(
        f'<span><i style="background:{colours[n % len(colours)]}"></i>{html.escape(name)}</span>'
        for n, name in enumerate(names)
    )
    return f'<div class="legend">{items}</div>'


def _text(x: float, y: float, text: str, anchor: str = 'middle', turn: str = '') -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{turn}>{html.escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, stroke: str, more: str = '') -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}"{more}/>'
    )


def _vertical(axis: Axis) -> str:
    """The grid and labels of a vertical axis."""
    middle = (_HEIGHT - _BOTTOM + _TOP) / 2
    parts = [
        _line(_LEFT, _y(axis, tick), _WIDTH - _RIGHT, _y(axis, tick), _GRID)
        + _text(_LEFT - 6, _y(axis, tick) + 4, f'{tick:g}', 'end')
        for tick in axis.ticks()
    ]
    parts.append(_text(12, middle, axis.name, turn=f' transform="rotate(-90 12 {middle:.0f})"'))
    return ''.join(parts)


def _horizontal_name(name: str) -> str:
    return _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 5, name)


def line_plot(
    title: str,
    series: Mapping[str, Sequence[tuple[float, float]]],
    x: Axis,
    y: Axis,
    *,
    diagonal: bool = False,
) -> str:
    """Lines with dots.

    Args:
        title: Above the plot.
        series: Points by name; points with NaN are left out.
        x, y: The axes.
        diagonal: Draw the line from corner to corner, for example that of perfect calibration.
    """
    parts = [_vertical(y)]
    for tick in x.ticks():
        parts.append(_text(_x(x, tick), _HEIGHT - _BOTTOM + 17, f'{tick:g}'))
    parts.append(_horizontal_name(x.name))
    if diagonal:
        ends = (_x(x, x.low), _y(y, y.low), _x(x, x.high), _y(y, y.high))
        parts.append(_line(*ends, _INK, ' stroke-dasharray="4 3"'))
    for number, points in enumerate(series.values()):
        colour = COLOURS[number % len(COLOURS)]
        places = [(_x(x, a), _y(y, b)) for a, b in points if math.isfinite(a) and math.isfinite(b)]
        joined = ' '.join(f'{a:.1f},{b:.1f}' for a, b in places)
        parts.append(
            f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="1.8"/>'
        )
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.6" fill="{colour}"/>' for a, b in places]
    return _figure(title, ''.join(parts), legend_of(list(series)) if len(series) > 1 else '')


def bar_plot(
    title: str,
    groups: Sequence[str],
    series: Mapping[str, Sequence[float]],
    y: Axis,
) -> str:
    """Groups of bars, one bar per series.

    Args:
        title: Above the plot.
        groups: Names below the axis.
        series: One number per group by name; NaN has no bar.
        y: The vertical axis.
    """
    parts = [_vertical(y)]
    room = (_WIDTH - _LEFT - _RIGHT) / max(len(groups), 1)
    width = 0.8 * room / max(len(series), 1)
    zero = _y(y, max(0.0, y.low))
    # A label has about seven pixels per letter; where they are longer they stand askew.
    askew = max((len(name) for name in groups), default=0) * 7 > room
    for place, name in enumerate(groups):
        left = _LEFT + place * room
        middle, below = left + room / 2, _HEIGHT - _BOTTOM + 16
        turn = f' transform="rotate(-24 {middle:.1f} {below:.1f})"' if askew else ''
        parts.append(_text(middle, below, name, 'end' if askew else 'middle', turn))
        for number, (label, values) in enumerate(series.items()):
            value = values[place]
            if not math.isfinite(value):
                continue
            top = _y(y, value)
            parts.append(
                f'<rect x="{left + 0.1 * room + number * width:.1f}" y="{min(top, zero):.1f}" '
                f'width="{width * 0.92:.1f}" height="{max(abs(top - zero), 0.6):.1f}" '
                f'fill="{COLOURS[number % len(COLOURS)]}"><title>'
                f'{html.escape(f"{label}, {name}: {value:.2f}")}</title></rect>'
            )
    legend = legend_of(list(series)) if len(series) > 1 else ''
    return _figure(title, ''.join(parts), legend, _ASKEW if askew else 0)


def stacked_bars(title: str, rows: Mapping[str, Mapping[str, float]]) -> str:
    """One horizontal bar per row, divided by shares that are scaled to its sum.

    Args:
        title: Above the plot.
        rows: Shares by part, by name of the row.
    """
    parts = list(dict.fromkeys(name for shares in rows.values() for name in shares))
    palette = ('#009e73', *COLOURS)
    height, gap = 22, 16
    drawn = []
    for number, (name, shares) in enumerate(rows.items()):
        top, left, total = 14 + number * (height + gap), 0.0, sum(shares.values()) or 1.0
        drawn.append(_text(0, top - 3, name, 'start'))
        for place, part in enumerate(parts):
            share = shares.get(part, 0.0) / total
            drawn.append(
                f'<rect x="{left:.1f}" y="{top}" width="{share * _WIDTH:.1f}" height="{height}" '
                f'fill="{palette[place % len(palette)]}"><title>'
                f'{html.escape(f"{part}: {100 * share:.1f} %")}</title></rect>'
            )
            if share > 0.07:
                label = f'{100 * share:.0f}'
                place_x = left + share * _WIDTH / 2
                drawn.append(
                    f'<text x="{place_x:.1f}" y="{top + 15}" text-anchor="middle" '
                    f'style="fill:#fff">{label}</text>'
                )
            left += share * _WIDTH
    size = 14 + len(rows) * (height + gap)
    escaped = html.escape(title)
    return (
        f'<figure><figcaption>{escaped}</figcaption><svg viewBox="0 0 {_WIDTH} {size}" role="img" '
        f'aria-label="{escaped}">{"".join(drawn)}</svg>{legend_of(parts, palette)}</figure>'
    )
