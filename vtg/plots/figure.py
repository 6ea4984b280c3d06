# SPDX-License-Identifier: Apache-2.0
"""What all pictures share: where they go, their colours, and how they are written."""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vtg.utils import ConfigError, atomic_write, check_output, printable
from vtg.utils.optional import require

SUFFIXES = ('.pdf', '.png', '.svg')
# Okabe and Ito, "Color Universal Design", 2008: told apart by people who see fewer colours.
COLOURS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000')
TRUTH = '#009E73'
"""Annotations are green, as in the pictures of the papers; systems skip that colour beside them."""
_MARKERS = ('o', 's', '^', 'D', 'v', 'P', 'X')
_DPI = 150
LARGEST = 1e30
"""Larger numbers overflow where matplotlib chooses the range of an axis."""
_STYLE: dict[str, Any] = {
    'font.family': ['DejaVu Sans'],
    'font.size': 9.0,
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.titlesize': 9.0,
    'legend.frameon': False,
    'svg.fonttype': 'path',
    'svg.hashsalt': 'vtg',
    # Names of users may hold a dollar sign.
    'text.parse_math': False,
}


def check_picture(out: str | Path, inputs: Iterable[str | Path | None] = ()) -> Path:
    """Return ``out`` if a picture can be written there.

    Args:
        out: A file whose ending tells its format.
        inputs: Files and folders that are read; see :func:`vtg.utils.check_output`. A picture may
            lie in a folder that is read.

    Raises:
        ConfigError: The ending is none of :data:`SUFFIXES`, ``out`` is a folder, or an input.
    """
    path = Path(out)
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(
            f'{out} ends in {path.suffix or "nothing"!r}; pictures are written as '
            f'{", ".join(SUFFIXES)}, so choose one of these endings.'
        )
    if path.is_dir():
        raise ConfigError(f'{out} is a folder; give the name of the picture, e.g. {out}/plot.png.')
    return check_output(path, [item for item in inputs if item and not Path(item).is_dir()])


@contextmanager
def picture(
    out: str | Path, width: float, height: float, inputs: Iterable[str | Path | None] = ()
) -> Iterator[Any]:
    """Give an empty figure and write it whole when the block ends without an error.

    No window system is needed and no setting of matplotlib is changed for others.

    Args:
        out, inputs: See :func:`check_picture`.
        width: Inches. height: Inches.

    Raises:
        ConfigError: See :func:`check_picture`; or matplotlib is not installed.
    """
    path = check_picture(out, inputs)
    matplotlib = require('matplotlib', 'a picture')
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        # Not pyplot, which would choose a window system and keep the figure.
        figure = require('matplotlib.figure', 'a picture').Figure(
            figsize=(width, height), layout='constrained'
        )
        yield figure
        kind = path.suffix.lower()[1:]
        # Without the time, so that the same picture is the same file.
        facts = {'svg': {'Date': None}, 'pdf': {'CreationDate': None}}.get(kind)
        with atomic_write(path) as temporary:
            figure.savefig(temporary, format=kind, dpi=_DPI, metadata=facts)


def styles(count: int, beside_truth: bool = False) -> list[dict[str, Any]]:
    """Colour, line and marker of systems; more than there are colours differ in their lines.

    Args:
        count: How many systems.
        beside_truth: Leave the colour of annotations out.
    """
    colours = [colour for colour in COLOURS if not (beside_truth and colour == TRUTH)]
    made = []
    for index in range(count):
        turn, place = divmod(index, len(colours))
        made.append({'color': colours[place], 'marker': _MARKERS[(index + turn) % len(_MARKERS)]})
    return made


def legend_above(
    figure: Any, handles: Sequence[Any], names: Sequence[str], inches: float, title: str = ''
) -> None:
    """Put one legend above all axes, in as many columns as fit into the width.

    Args:
        figure: Of :func:`picture`. handles: Artists. names: Their names. inches: Width to fill.
        title: Of the picture, above the legend.
    """
    longest = max(map(len, names), default=1)
    columns = max(1, min(len(names), int(inches / (0.075 * longest + 0.55))))
    figure.legend(
        handles, list(map(label, names)), loc='outside upper left', ncols=columns,
        title=label(title, 120) or None, title_fontsize=10, alignment='left',
    )  # fmt: skip


def label(text: Any, most: int = 60) -> str:
    """A text of a file as a label: without control characters, and not longer than ``most``; a
    leading underscore would hide it."""
    shown = printable(str(text))
    shown = shown if len(shown) <= most else f'{shown[: most - 1]}…'
    return f' {shown}' if shown.startswith('_') else shown


def grid(count: int, most: int = 3) -> tuple[int, int]:
    """Rows and columns of ``count`` panels."""
    columns = min(count, most if count != 4 else 2)
    return math.ceil(count / columns), columns


def plain_log_axis(panel: Any, axis: str) -> None:
    """Make the axis ``'x'`` or ``'y'`` logarithmic, with numbers such as 0.5, 20 and 100k."""
    ticker = require('matplotlib.ticker', 'a picture')
    getattr(panel, f'set_{axis}scale')('log')
    chosen = getattr(panel, f'{axis}axis')
    chosen.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0), numticks=8))
    chosen.set_major_formatter(ticker.FuncFormatter(lambda value, _: short_number(value)))
    chosen.set_minor_formatter(ticker.NullFormatter())


def short_number(value: float) -> str:
    """A number as 0.05, 20, 1.5k or 3M."""
    for size, unit in ((1e9, 'G'), (1e6, 'M'), (1e3, 'k')):
        if abs(value) >= size:
            return f'{value / size:.4g}{unit}'
    return f'{value:.4g}'
