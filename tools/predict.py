#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Predict moments and clip scores for a file of queries and write them as JSON lines."""

import argparse

from vtg.apis.command_line import ArgumentParser
from vtg.utils import printable, run_main


def parse_args() -> argparse.Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file, e.g. configs/qd_detr/custom.py')
    parser.add_argument(
        'checkpoint', help='weights that fit the config; none for a model with nothing to learn'
    )
    parser.add_argument('queries', help='annotation file (.jsonl), labelled or not')
    parser.add_argument('out', help='file to write (.jsonl)')
    parser.add_argument('--work-dir', help='folder of the log (the work dir of the config)')
    parser.add_amp()
    parser.add_subset()
    parser.add_threads()
    parser.add_overrides()
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from vtg.apis.predict import run_prediction
    from vtg.apis.train import configure
    from vtg.engine import load_config

    cfg = configure(
        load_config(args.config, args.cfg_options), args.work_dir, rehearsal=args.rehearsal,
        limit=args.limit,
    )  # fmt: skip
    predictions = run_prediction(cfg, args.checkpoint, args.queries, args.out, args.amp)
    print(f'{args.out}: predictions for {len(predictions)} queries')
    for record in (record for record in predictions if record.get('pred_answered') is False):
        probability = f'probability of one {record["pred_exist_score"]:.2f}'
        print(f'  {printable(record["query"])}: no moment ({probability})')


if __name__ == '__main__':
    run_main(main)
