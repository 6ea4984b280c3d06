#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Evaluate a prediction file, of this or any other code base.

Annotations may be in the format of QVHighlights or in that for own data (docs/custom_data.md).
"""

import argparse
from typing import Any

from vtg.apis.command_line import ArgumentParser, seconds
from vtg.apis.evaluation import evaluate_files
from vtg.evaluation.functional import LENGTH_RANGES, round_percent
from vtg.utils import (
    check_output,
    check_replaceable,
    read_json,
    run_main,
    terminal_table,
    two_decimals,
    write_json,
)


def parse_args() -> argparse.Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('predictions', help='JSON lines or a JSON list, plain or .gz')
    parser.add_argument('annotations', help='the same, with labels')
    parser.add_argument('--out', help='write the official nested result as JSON')
    parser.add_argument('--unrounded', action='store_true', help='write whole numbers to --out')
    parser.add_argument(
        '--extended', action='store_true', help='add mIoU and R@1 from IoU 0.3, as CG-DETR reports'
    )
    parser.add_argument(
        '--subset-ok', action='store_true', help='evaluate the queries that both files have'
    )
    parser.add_argument(
        '--clip-length',
        type=seconds,
        default=2.0,
        help='seconds per clip of own data (2)',
    )
    return parser.parse_args()


def tables(result: dict[str, Any]) -> str:
    """The brief result, and moment retrieval per range of window length."""
    rows = [[name, two_decimals(value)] for name, value in result['brief'].items()]
    brief = terminal_table(['metric', 'per cent'], rows, 'Summary')
    ranges = [name for name in LENGTH_RANGES if name in result]
    if not ranges:
        return brief
    header = ['IoU', *(f'{metric} {name}' for name in ranges for metric in ('mAP', 'R@1'))]
    rows = []
    for iou in sorted({key for metric in ('MR-mAP', 'MR-R1') for key in result['full'][metric]}):
        values = [result[name][m].get(iou) for name in ranges for m in ('MR-mAP', 'MR-R1')]
        rows.append([iou, *map(two_decimals, values)])
    by_range = terminal_table(header, rows, 'Moment retrieval by window length')
    return f'{brief}\n{by_range}'


def main() -> None:
    args = parse_args()
    if args.out:
        check_output(args.out, [args.predictions, args.annotations])
        check_replaceable(args.out, lambda path: 'brief' in read_json(path), 'a result')
    evaluation = evaluate_files(
        args.predictions,
        args.annotations,
        extended=args.extended,
        subset_ok=args.subset_ok,
        clip_length=args.clip_length,
    )
    if args.out:
        result = evaluation.result if args.unrounded else round_percent(evaluation.result)
        write_json(args.out, result)
    for text, count in evaluation.notes.items():
        print(f'note: {text}: {count}')
    print(tables(round_percent(evaluation.result)))


if __name__ == '__main__':
    run_main(main)
