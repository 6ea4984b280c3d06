#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Check annotations and features and print a summary and every problem with file and line.

Give a config, or --annotations with the folders of the features. The status is 1 if anything is
wrong.
"""

import argparse
import sys

from vtg.apis.command_line import ArgumentParser, seconds, whole_number
from vtg.utils import progress_bar, run_main


def parse_args() -> argparse.Namespace:
    parser = ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', nargs='?', help='config file, e.g. configs/qd_detr/custom.py')
    parser.add_argument(
        '--split', choices=('train', 'val', 'test'), nargs='+', default=['train', 'val', 'test']
    )
    parser.add_argument('--annotations', metavar='FILE', help='annotation file (.jsonl)')
    parser.add_argument('--video-features', nargs='+', default=[], metavar='DIR')
    parser.add_argument('--text-features', nargs='+', default=[], metavar='DIR')
    parser.add_argument('--text-pattern', default='qid{qid}', help='names of text files (qid{qid})')
    parser.add_argument('--clip-length', type=seconds, default=2.0, help='seconds per clip (2)')
    parser.add_argument('--unlabelled', action='store_true', help='queries need no windows')
    parser.add_argument(
        '--sample', type=whole_number(), metavar='N', help='read N feature files of each kind'
    )
    parser.add_argument(
        '--most', type=whole_number(0), default=100, help='print so many problems (100)'
    )
    parser.add_argument(
        '--windows',
        choices=('strict', 'repair'),
        help='with --annotations: refuse what is wrong (strict), or mend known faults and count',
    )
    parser.add_argument(
        '--qid',
        choices=('unique', 'renumber'),
        default='unique',
        help='with --annotations: refuse ids that repeat, or number all anew (unique)',
    )
    parser.add_argument('--write', metavar='FIXED', help='write a mended copy of --annotations')
    parser.add_argument('--counts', action='store_true', help='count what is no fault too')
    parser.add_subset()
    parser.add_overrides()
    args = parser.parse_args()
    if bool(args.config) == bool(args.annotations):
        parser.error('give a config or --annotations')
    if args.annotations and (args.rehearsal or args.limit):
        parser.error('--rehearsal and --limit go with a config')
    if args.config and (args.windows or args.write or args.qid != 'unique'):
        parser.error(
            '--windows, --qid and --write go with --annotations; a config says windows and qid of '
            'its datasets'
        )
    return args


def main() -> int:
    args = parse_args()
    from mmengine.registry import init_default_scope

    from vtg.apis.train import reduce_data
    from vtg.apis.validate import validate_config, validate_files, write_repaired
    from vtg.datasets.repair import Tolerance
    from vtg.engine import load_config

    init_default_scope('vtg')
    options = {'sample': args.sample, 'all_counts': args.counts}
    tolerance = Tolerance(args.windows or ('repair' if args.write else 'strict'), args.qid)
    if sys.stderr.isatty():
        options['on_start'] = progress_bar
    if args.config:
        cfg = reduce_data(load_config(args.config, args.cfg_options), args.rehearsal, args.limit)
        results = list(validate_config(cfg, args.split, **options).values())
    else:
        results = [
            validate_files(
                args.annotations,
                args.video_features,
                args.text_features,
                args.clip_length,
                not args.unlabelled,
                args.text_pattern,
                tolerance,
                **options,
            )
        ]
    if sys.stderr.isatty():
        print(file=sys.stderr)
    for result in results:
        print(result.text(args.most))
    if args.write:
        count, _ = write_repaired(args.annotations, args.write, args.clip_length, tolerance)
        print(f'{args.write}: {count} records')
    return int(any(result.problems for result in results))


if __name__ == '__main__':
    run_main(main)
