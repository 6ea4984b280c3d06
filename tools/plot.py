#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draw trainings, models and predictions as pictures (.png, .svg or .pdf)."""

import argparse

from vtg.apis.command_line import ArgumentParser, seconds, whole_number
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
    heatmap = kinds.add_parser(
        'heatmap', help='clips against the words of a query behind the stages of a model'
    )
    heatmap.add_argument('config', help='config file, or the folder of a published model')
    heatmap.add_argument('--checkpoint', help='weights (random ones)')
    heatmap.add_argument('--split', choices=('train', 'val', 'test'), default='val', help='(val)')
    heatmap.add_argument('--sample', type=whole_number(0), default=0, help='query, from 0 (0)')
    heatmap.add_argument('--qid', help='id of the query, instead of its number')
    heatmap.add_argument(
        '--stages', nargs='+', default=[], metavar='STAGE',
        help='e.g. video_projector refiner.fra fusion encoder (after projection, refinement and '
        'fusion)',
    )  # fmt: skip
    heatmap.add_argument(
        '--rehearsal', action='store_true',
        help='simulated features of the same widths in place of those in files',
    )  # fmt: skip
    heatmap.add_overrides()
    heatmap.set_defaults(draw=draw_heatmap)
    timeline = kinds.add_parser(
        'timeline', help='moments and saliency of systems for one query, below the truth'
    )
    timeline.add_argument('predictions', nargs='+', metavar='[NAME=]FILE', help='or run folders')
    timeline.add_argument('--annotations', required=True, metavar='FILE', help='with the query')
    timeline.add_argument('--qid', required=True, help='id of the query')
    timeline.add_argument('--top', type=whole_number(), default=3, help='windows a system (3)')
    timeline.add_argument('--split', choices=('val', 'test'), default='val', help='(val)')
    timeline.add_argument('--clip-length', type=seconds, default=2.0, help='seconds per clip (2)')
    timeline.add_argument(
        '--windows', choices=('strict', 'repair'), default='strict',
        help='repair: mend windows that cannot be, of predictions and annotations (strict)',
    )  # fmt: skip
    timeline.set_defaults(draw=draw_timeline)
    scatter = kinds.add_parser(
        'scatter', help='metrics over a number of a sweep, such as the size of pre-training'
    )
    scatter.add_argument('table', help='sweep.csv or runs.csv of a sweep, or another CSV file')
    scatter.add_argument('--x', required=True, metavar='COLUMN', help='numbers, e.g. parameters')
    scatter.add_argument('--y', required=True, nargs='+', metavar='METRIC', help='a panel each')
    scatter.add_argument('--by', default='', metavar='COLUMN', help='a line per value, e.g. config')
    scatter.add_argument('--log-x', action='store_true', help='logarithmic axis of x')
    scatter.set_defaults(draw=draw_scatter)
    for kind in kinds.choices.values():
        kind.add_argument('--out', required=True, help='picture: .png, .svg or .pdf')
        kind.add_argument('--title', default='', help='above the picture')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    print(f'written: {args.draw(args)}')


def draw_curves(args: argparse.Namespace) -> object:
    """Draw the curves of the runs; returns the files written."""
    from vtg.plots.curves import plot_curves

    runs, written = plot_curves(args.runs, args.out, args.curves, args.title, args.log)
    for run in runs:
        ends = [curve.epochs[-1] for curve in (*run.train.values(), *run.val.values())]
        print(f'{run.name}: {len(run.names())} curves, up to {run.unit} {max(ends):.10g}')
    return written


def draw_heatmap(args: argparse.Namespace) -> object:
    """Draw the maps of query and clips behind the stages; returns the files written."""
    from vtg.plots.heatmap import plot_heatmaps

    maps, notes = plot_heatmaps(
        args.config, args.out, args.checkpoint, args.sample, args.qid, args.split, args.stages,
        args.cfg_options, args.rehearsal, args.title,
    )  # fmt: skip
    for note in notes:
        print(f'note: {note}')
    for found in maps:
        told = '' if found.separation is None else f', AUC of moments {found.separation:.2f}'
        words, clips = found.similarity.shape
        print(f'{found.stage} ({found.component}): {words} words x {clips} clips{told}')
    return args.out


def draw_timeline(args: argparse.Namespace) -> object:
    """Draw the answers of systems to a query; returns the files written."""
    from vtg.apis.analysis import Reading
    from vtg.plots.timeline import plot_timeline

    overlaps, notes = plot_timeline(
        args.predictions, args.annotations, args.qid, args.out, args.top, args.split,
        args.clip_length, Reading(windows=args.windows), args.title,
    )  # fmt: skip
    for note in notes:
        print(f'note: {note}')
    for name, overlap in overlaps.items():
        print(f'{name}: IoU of the first window {overlap:.2f}')
    return args.out


def draw_scatter(args: argparse.Namespace) -> object:
    """Draw metrics over a number of a sweep; returns the files written."""
    from vtg.plots.scatter import plot_scatter

    found = plot_scatter(args.table, args.x, args.y, args.out, args.by, args.log_x, args.title)
    for metric, groups in found.items():
        points = [point for group in groups.values() for point in group]
        runs = sum(point.runs for point in points)
        print(f'{metric}: {len(points)} points of {runs} runs')
    return args.out


if __name__ == '__main__':
    run_main(main)
