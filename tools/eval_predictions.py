#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Evaluate a prediction file, of this or any other code base.

Annotations may be in the format of QVHighlights or in that for own data (docs/custom_data.md).
docs/evaluation.md lists the formats of predictions, the metrics and what the options are for.
"""

import argparse
from typing import Any

from vtg.apis.command_line import ArgumentParser, seconds
from vtg.apis.evaluation import FileEvaluation, evaluate_files
from vtg.evaluation.functional import LENGTH_RANGES, round_percent
from vtg.evaluation.reading import FORMATS, MISSING
from vtg.evaluation.reading.answers import UNPARSED
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
    parser.add_argument('predictions', help='JSON lines, a JSON list or object, plain or .gz')
    parser.add_argument('annotations', help='JSON lines or a JSON list, with labels')
    parser.add_argument('--out', help='write the official nested result as JSON')
    parser.add_argument('--unrounded', action='store_true', help='write whole numbers to --out')
    parser.add_argument(
        '--metric',
        metavar='NAME',
        help='a benchmark (nlq, qvm2, gmr, charades_rf, na_vmr, didemo, ...) or a registered '
        'metric; by default the evaluation of QVHighlights, or that of own data',
    )
    parser.add_argument(
        '--extended', action='store_true', help='add mIoU and R@1 from IoU 0.3, as CG-DETR reports'
    )
    parser.add_argument(
        '--missing',
        choices=MISSING,
        help='absent, empty or unreadable answers are wrong, refused, left out (under another '
        'name), or the whole video; refused by default where the file is JSON lines of our format, '
        'else wrong',
    )
    parser.add_argument(
        '--windows',
        choices=('strict', 'repair'),
        default='strict',
        help='take what is wrong as it is or refuse it (strict), or mend it and count',
    )
    parser.add_argument(
        '--qid',
        choices=('unique', 'renumber'),
        default='unique',
        help='refuse ids that repeat, or pair both files by position (unique)',
    )
    parser.add_argument(
        '--order',
        choices=('score', 'list'),
        default='score',
        help='sort windows by falling score, or keep the list, whose first one counts for R@1',
    )
    parser.add_argument(
        '--format', choices=tuple(FORMATS), help='of the predictions; recognised by default'
    )
    parser.add_argument(
        '--round', type=seconds, metavar='S', help='round predicted times to multiples of S seconds'
    )
    parser.add_argument(
        '--clip-length',
        type=seconds,
        default=2.0,
        help='seconds per clip of own data (2)',
    )
    return parser.parse_args()


def tables(result: dict[str, Any], baselines: dict[str, dict[str, float]] | None = None) -> str:
    """The brief result, beside constant predictions, and moments per range of window length."""
    header = ['metric', 'per cent', *(baselines or {})]
    rows = [
        [name, two_decimals(value)]
        + [two_decimals(values.get(name)) for values in (baselines or {}).values()]
        for name, value in result['brief'].items()
    ]
    brief = terminal_table(header, rows, 'Summary')
    ranges = [name for name in LENGTH_RANGES if 'MR-R1' in result.get(name, {})]
    if not ranges or 'average' not in result['full']['MR-mAP']:
        return brief
    header = ['IoU', *(f'{metric} {name}' for name in ranges for metric in ('mAP', 'R@1'))]
    rows = []
    for iou in sorted({key for metric in ('MR-mAP', 'MR-R1') for key in result['full'][metric]}):
        values = [result[name][m].get(iou) for name in ranges for m in ('MR-mAP', 'MR-R1')]
        rows.append([iou, *map(two_decimals, values)])
    by_range = terminal_table(header, rows, 'Moment retrieval by window length')
    return f'{brief}\n{by_range}'


def remarks(evaluation: FileEvaluation) -> list[str]:
    """What is unusual about the files, and how many queries were answered."""
    total, answered = evaluation.total, evaluation.answered
    lines = [
        f'note: {text}: {count}' for text, count in evaluation.notes.items() if text != UNPARSED
    ]
    if evaluation.notes.get(UNPARSED):
        unread = evaluation.notes[UNPARSED]
        lines.append(f'note: {UNPARSED}: {unread} ({100 * unread / total:.2f}% of the queries)')
    if evaluation.format != 'vtg':
        lines.append(f'format {evaluation.format}: {FORMATS[evaluation.format].title}')
    return [*lines, f'answered {answered} of {total} queries ({100 * answered / total:.2f}%)']


def main() -> None:
    args = parse_args()
    if args.out:
        check_output(args.out, [args.predictions, args.annotations])
        check_replaceable(args.out, lambda path: 'brief' in read_json(path), 'a result')
    evaluation = evaluate_files(
        args.predictions,
        args.annotations,
        extended=args.extended,
        missing=args.missing,
        metric=args.metric,
        fmt=args.format,
        windows=args.windows,
        qid=args.qid,
        order=args.order,
        grid=args.round,
        clip_length=args.clip_length,
    )
    if args.out:
        result = evaluation.result if args.unrounded else round_percent(evaluation.result)
        write_json(args.out, result)
    print('\n'.join(remarks(evaluation)))
    print(tables(round_percent(evaluation.result), round_percent(dict(evaluation.baselines))))


if __name__ == '__main__':
    run_main(main)
