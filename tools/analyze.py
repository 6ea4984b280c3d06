#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Say what is wrong with predictions and how systems differ: a page, Markdown, JSON and tables.

A system is a prediction file, several with commas between (seeds), or a run folder; NAME=PATH names
it. The first is what others are compared with.
"""

import argparse

from vtg.apis.command_line import ArgumentParser, number, seconds, seed, whole_number
from vtg.utils import ConfigError, run_main


def parse_args() -> argparse.Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('predictions', help='[NAME=]FILE[,FILE...] or a run folder')
    parser.add_argument('annotations', help='JSON lines or a JSON list with labels, plain or .gz')
    parser.add_argument(
        '--against', nargs='+', default=[], metavar='OTHER', help='further systems'
    )  # fmt: skip
    parser.add_argument('--out', required=True, help='folder of the report')
    parser.add_argument('--title', default='', help='heading of the report')
    parser.add_argument(
        '--train', metavar='FILE', help='training annotations, for answers that ignore the video'
    )
    parser.add_argument(
        '--published', nargs='+', default=[], metavar='SYSTEM',
        help='published rows of systems of configs/, e.g. qd_detr cg_detr',
    )  # fmt: skip
    parser.add_argument('--dataset', default='QVHighlights', help='of --published (QVHighlights)')
    parser.add_argument('--split', choices=('val', 'test'), default='val', help='(val)')
    parser.add_argument(
        '--ensemble', nargs='*', type=number(), metavar='WEIGHT',
        help='fuse all systems, with one weight each or equal ones',
    )  # fmt: skip
    parser.add_argument(
        '--search', choices=('mAP', 'R1@0.5', 'R1@0.7', 'mIoU'),
        help='search the post-processing of the first system that is best by a metric',
    )  # fmt: skip
    parser.add_argument('--iou', type=number(0.05, 1), default=0.5, help='finds a moment (0.5)')
    parser.add_argument(
        '--background', type=number(0, 1), default=0.1, help='IoU below which it is none (0.1)'
    )
    parser.add_argument('--sigmoid', action='store_true', help='scores are logits')
    parser.add_argument('--resamples', type=whole_number(100), default=10_000, help='(10000)')
    parser.add_argument('--seed', type=seed, default=0, help='of all draws (0)')
    parser.add_argument(
        '--missing', choices=('wrong', 'refuse', 'full-video'), default='wrong',
        help='absent, empty or unreadable answers (wrong)',
    )  # fmt: skip
    parser.add_argument(
        '--windows', choices=('strict', 'repair'), default='strict',
        help='repair: mend windows that cannot be, of predictions and annotations (strict)',
    )  # fmt: skip
    parser.add_argument('--format', help='of the predictions; recognised by default')
    parser.add_argument('--clip-length', type=seconds, default=2.0, help='seconds per clip (2)')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from vtg.analysis import Options, summary_table
    from vtg.apis.analysis import Reading, analyse, published_rows
    from vtg.utils import terminal_table

    if args.background > args.iou:
        raise ConfigError('--background exceeds --iou; a window that finds a moment is no error.')
    systems = 1 + len(args.against)
    if args.ensemble and len(args.ensemble) != systems:
        raise ConfigError(
            f'--ensemble has {len(args.ensemble)} weights for {systems} systems; give one each.'
        )
    options = Options(
        found=args.iou,
        touching=args.background,
        resamples=args.resamples,
        seed=args.seed,
        sigmoid=args.sigmoid,
        ensemble=args.ensemble,
        searched=args.search or '',
    )
    study, written = analyse(
        args.predictions,
        args.annotations,
        args.out,
        args.against,
        args.train,
        options,
        published=published_rows(args.published, args.dataset, args.split),
        split=args.split,
        clip_length=args.clip_length,
        title=args.title,
        reading=Reading(args.missing, args.windows, args.format),
    )
    for note in study.notes:
        print(f'note: {note}')
    table = summary_table(study)
    print(terminal_table(table.header, table.rows, 'Summary', table.text_columns))
    print('written: ' + ', '.join(map(str, written)))


if __name__ == '__main__':
    run_main(main)
