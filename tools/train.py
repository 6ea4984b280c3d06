#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Train a model from a config file."""

import argparse

from vtg.utils import run_main


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file, e.g. configs/sgdetr/demo.py')
    parser.add_argument('--work-dir', help='output folder (work_dirs/<system>_<config>)')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='go on from CHECKPOINT, or from the last one in the work dir',
    )
    parser.add_argument(
        '--amp',
        nargs='?',
        const='bf16',
        choices=('bf16', 'fp16'),
        help='mixed precision: bf16 (default) on any device, fp16 on CUDA',
    )
    parser.add_argument(
        '--launcher', choices=('none', 'pytorch'), default='none', help='pytorch under torchrun'
    )
    parser.add_argument('--seed', type=int, help='random seed')
    parser.add_argument(
        '--rehearsal', action='store_true',
        help='simulated features of the same widths in place of those in files',
    )  # fmt: skip
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action='extend',
        default=[],
        metavar='KEY=VALUE',
        help='override config values; +KEY=VALUE adds a key',
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    # Imported here so that --help and a mistyped option answer at once.
    from vtg.engine import load_config
    from vtg.engine.dist import finish_distributed
    from vtg.engine.train import configure, train

    cfg = load_config(args.config, args.cfg_options)
    if args.rehearsal:
        from vtg.datasets import rehearse

        rehearse(cfg)
    configure(cfg, args.work_dir, args.resume, args.amp, args.seed)
    runner = train(cfg, args.launcher)
    if finish_distributed(cfg) and cfg.get('report_after_training') and cfg.get('val_dataloader'):
        from vtg.apis.test import run_test

        run_test(cfg, runner.best_checkpoint, split='val')


if __name__ == '__main__':
    run_main(main, 'saved checkpoints are whole, the same command with --resume goes on')
