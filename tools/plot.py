#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draw trainings, models and predictions as pictures (.png, .svg or .pdf)."""

import argparse

from vtg.apis.command_line import ArgumentParser
from vtg.utils import run_main


def parse_args() -> argparse.Namespace:
    parser = ArgumentParser(description=__doc__)
    kinds = parser.add_subparsers(dest='kind', required=True)
    curves = kinds.add_parser(
        'curves', help='losses and metrics of runs over their epochs, beside each other'
    )
    curves.add_argument(
        'runs', nargs='+', metavar='[NAME=]RUN',
        help='run folders or logs, of this toolbox or train.log.txt and eval.log.txt of others',
    )  # fmt: skip
    curves.add_argument(
        '--curves', nargs='+', default=[], metavar='NAME',
        help='what to draw, e.g. loss loss_span "HL-*" (the loss and the main metrics)',
    )  # fmt: skip
    curves.add_argument('--log', action='store_true', help='logarithmic axes of losses')
    curves.set_defaults(draw=draw_curves)
    for kind in kinds.choices.values():
        kind.add_argument('--out', required=True, help='picture: .png, .svg or .pdf')
        kind.add_argument('--title', default='', help='above the picture')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    print(f'written: {args.draw(args)}')


def draw_curves(args: argparse.Namespace) -> object:
    from vtg.plots.curves import plot_curves

    runs, written = plot_curves(args.runs, args.out, args.curves, args.title, args.log)
    for run in runs:
        ends = [curve.epochs[-1] for curve in (*run.train.values(), *run.val.values())]
        print(f'{run.name}: {len(run.names())} curves, up to {run.unit} {max(ends):.10g}')
    return written


if __name__ == '__main__':
    run_main(main)
