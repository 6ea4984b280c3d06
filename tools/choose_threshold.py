#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Choose when a model says that no moment matches a query, and store that in its checkpoint."""

import argparse

from vtg.apis.command_line import ArgumentParser
from vtg.utils import run_main


def parse_args() -> argparse.Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file, e.g. configs/moment_detr/soccer_gmr.py')
    parser.add_argument('checkpoint', help='weights that fit the config')
    parser.add_argument('--out', help='checkpoint to write (the given one is changed)')
    parser.add_argument('--split', choices=('val', 'test'), default='val')
    parser.add_argument(
        '--by', choices=('balanced_accuracy', 'accuracy', 'rejection_f1'),
        default='balanced_accuracy', help='what the threshold maximises (balanced_accuracy)',
    )  # fmt: skip
    parser.add_argument('--work-dir', help='folder of the log (the work dir of the config)')
    parser.add_amp()
    parser.add_threads()
    parser.add_overrides()
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from vtg.apis.answering import choose_answering
    from vtg.apis.train import configure
    from vtg.engine import load_config

    cfg = configure(load_config(args.config, args.cfg_options), args.work_dir)
    chosen = choose_answering(cfg, args.checkpoint, args.split, args.by, args.out, args.amp)
    print(f'{args.out or args.checkpoint}: {chosen}')
    if args.split == 'test':
        print('note: results on the test split are no longer those of unseen queries')


if __name__ == '__main__':
    run_main(main)
