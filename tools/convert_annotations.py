#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turn annotations in a published format into JSON lines, and say what was wrong with them.

Known faults are mended and counted; `--list` names the formats. docs/annotations.md describes them.
"""

import argparse

from vtg.apis.command_line import ArgumentParser, seconds, whole_number
from vtg.utils import run_main


def parse_args() -> argparse.Namespace:
    parser = ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('format', nargs='?', help='name of the format, e.g. activitynet')
    parser.add_argument('source', nargs='?', metavar='IN', help='annotation file, plain or .gz')
    parser.add_argument('out', nargs='?', metavar='OUT', help='JSON lines, plain or .gz')
    parser.add_argument('--list', action='store_true', help='name the formats')
    parser.add_argument('--lengths', metavar='CSV', help='seconds of the videos (id, length)')
    parser.add_argument('--videos', metavar='DIR', help='take the seconds from the videos')
    parser.add_argument('--first-qid', type=whole_number(0), metavar='N', help='count ids from N')
    parser.add_argument('--split', help='which split of a file that has several')
    parser.add_argument(
        '--duration', choices=('video', 'clip'), help='Ego4D-NLQ: seconds of a clip by which times'
    )
    parser.add_argument(
        '--columns', nargs='+', metavar='FIELD=COLUMN',
        help='csv: the columns of vid, query, start, end, duration and qid',
    )  # fmt: skip
    parser.add_argument(
        '--windows', choices=('strict', 'repair'), default='repair', help='refuse or mend faults'
    )
    parser.add_argument(
        '--qid', choices=('unique', 'renumber'),
        help='refuse ids that repeat, or number all anew; by the format where it is not given',
    )  # fmt: skip
    parser.add_argument('--clip-length', type=seconds, help='seconds per clip, by the format')
    args = parser.parse_args()
    if not args.list and args.out is None:
        parser.error('give the format, the file and the result, or --list')
    wrong = [text for text in args.columns or () if '=' not in text]
    if wrong:
        parser.error(f'--columns takes FIELD=COLUMN, got {wrong[0]!r}')
    return args


def main() -> None:
    args = parse_args()
    # Imported here so that --help and a mistyped option answer at once.
    from vtg.apis.convert import convert_annotations, lengths_from
    from vtg.formats import formats

    if args.list:
        known = formats()
        width = max(map(len, known))
        for name, cls in known.items():
            print(f'{name:<{width}}  {cls.title}')
        return
    converted = convert_annotations(
        args.format,
        args.source,
        args.out,
        windows=args.windows,
        qid=args.qid,
        clip_length=args.clip_length,
        lengths=lengths_from(args.lengths, args.videos),
        first_qid=args.first_qid,
        split=args.split,
        duration=args.duration,
        columns=dict(text.split('=', 1) for text in args.columns) if args.columns else None,
    )
    counts = converted.census.counts()
    print(f'{args.source}: {counts["queries"]} queries, {counts["videos"]} videos, '
          f'{counts["windows"]} windows')  # fmt: skip
    for line in converted.census.lines(everything=True):
        print(f'  {line}')
    warning = converted.census.warning()
    if warning:
        print(f'  warning: {warning}.')
    print(f'{args.out}: {len(converted.records)} records')


if __name__ == '__main__':
    run_main(main)
