# SPDX-License-Identifier: Apache-2.0
import math
from xml.etree import ElementTree

import pytest

from vtg.pages.plots import Axis, bar_plot, line_plot, stacked_bars

EVIL = '<script>x</script> & "'
SHARE = Axis(EVIL, 0, 1)


def drawing(figure: str) -> ElementTree.Element:
    """Every figure is well-formed XML, so no name breaks out of it."""
    root = ElementTree.fromstring(figure)
    assert root.tag == 'figure' and not list(root.iter('script'))
    return root


def test_lines_lie_where_the_axes_say() -> None:
    root = drawing(line_plot(EVIL, {EVIL: [(0, 0), (math.nan, 1), (1, 1)]}, SHARE, SHARE))
    (line,) = root.iter('polyline')
    (x0, y0), (x1, y1) = (map(float, p.split(',')) for p in line.attrib['points'].split())
    assert (x0, x1) == (50, 470) and (y0, y1) == (216, 10)


def test_bars_are_as_high_as_their_values() -> None:
    root = drawing(bar_plot(EVIL, [EVIL, 'b'], {EVIL: [0.5, math.nan], 'c': [1, 0.25]}, SHARE))
    assert [float(bar.attrib['height']) for bar in root.iter('rect')] == [103, 206, 51.5]


def test_stacked_bars_fill_the_width() -> None:
    root = drawing(stacked_bars(EVIL, {EVIL: {'a': 3, EVIL: 1}, 'none': {}}))
    widths = [float(bar.attrib['width']) for bar in root.iter('rect')]
    assert widths == [360, 120, 0, 0]


@pytest.mark.parametrize(('low', 'high', 'ticks'), [
    (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (0, 100, [0, 20, 40, 60, 80, 100]),
    (-3, 7, [-2, 0, 2, 4, 6]),
])  # fmt: skip
def test_ticks_are_round(low: float, high: float, ticks: list[float]) -> None:
    assert Axis('', low, high).ticks() == pytest.approx(ticks)
