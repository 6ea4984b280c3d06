#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Evaluate a checkpoint and write a benchmark report."""

import argparse

from vtg.apis.command_line import ArgumentParser
from vtg.utils import ConfigError, run_main


def parse_args() -> argparse.Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file, e.g. configs/sgdetr/qvhl.py')
    parser.add_argument(
        'checkpoint', help='weights that fit the config; none for a model with nothing to learn'
    )
    parser.add_argument('--split', choices=('val', 'test'), default='test')
    parser.add_argument('--out', help='folder for the report (the work dir of the config)')
    parser.add_argument(
        '--submission', action='store_true', help='write the official jsonl and zip as well'
    )
    parser.add_argument(
        '--published', choices=('config', 'family'), default='config',
        help='show published numbers of this config, or of all in its folder (config)',
    )  # fmt: skip
    parser.add_argument(
        '--html', action='store_true',
        help='write a page to browse the queries, worst first, and the predictions',
    )  # fmt: skip
    parser.add_argument('--videos', metavar='FOLDER', help='with --html: videos that it plays')
    parser.add_amp()
    parser.add_argument(
        '--compare', action='store_true',
        help='with --amp: evaluate in fp32 as well and print the differences of the metrics',
    )  # fmt: skip
    parser.add_verbose()
    parser.add_subset()
    parser.add_threads()
    parser.add_overrides()
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    if args.videos and not args.html:
        raise ConfigError('--videos needs --html; write --html --videos FOLDER.')
    # Imported here so that --help and a mistyped option answer at once.
    from vtg.apis.test import run_test
    from vtg.apis.train import configure
    from vtg.engine import load_config
    from vtg.engine.console import print_whole_log

    cfg = configure(
        load_config(args.config, args.cfg_options), args.out, rehearsal=args.rehearsal,
        limit=args.limit,
    )  # fmt: skip
    if args.verbose:
        print_whole_log(cfg)
    run_test(
        cfg, args.checkpoint, args.split, args.out, args.submission, args.published, args.amp,
        args.compare, args.html, args.videos,
    )  # fmt: skip


if __name__ == '__main__':
    run_main(main)
