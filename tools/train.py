#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Train a model from a config file."""

import argparse
from pathlib import Path
from typing import Any

from vtg.apis.command_line import ArgumentParser, seed
from vtg.utils import run_main


def parse_args() -> argparse.Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file, e.g. configs/sgdetr/demo.py')
    parser.add_argument('--work-dir', help='output folder (work_dirs/<system>_<config>)')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='go on from CHECKPOINT, or from the last one in the work dir, with the options of '
        'that run',
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
    parser.add_argument('--seed', type=seed, help='random seed')
    parser.add_subset()
    parser.add_short_forms()
    parser.add_argument(
        '--compile', action='store_true',
        help='compile the training step (torch.compile); the first steps are slow',
    )  # fmt: skip
    parser.add_verbose()
    parser.add_threads()
    parser.add_overrides()
    return parser.parse_args()


def prepare(args: argparse.Namespace, options: dict[str, Any]) -> Any:
    """Read the config and apply the options of the command line."""
    from vtg.apis.train import configure
    from vtg.engine import load_config

    return configure(
        load_config(args.config, options['cfg_options']), args.work_dir, args.resume or False,
        options['amp'], options['seed'], options['compile'], options['rehearsal'], options['limit'],
    )  # fmt: skip


def main() -> None:
    args = parse_args()
    # Imported here so that --help and a mistyped option answer at once.
    from vtg.apis.train import train
    from vtg.engine.console import print_whole_log
    from vtg.engine.dist import finish_distributed
    from vtg.engine.run_folder import check_resumable, with_stored_options

    names = ('cfg_options', 'amp', 'seed', 'rehearsal', 'limit', 'compile')
    options = {key: getattr(args, key) for key in names}
    if args.resume:
        folder = Path(args.resume).parent
        if args.resume == 'auto':
            places = [item for item in args.cfg_options if item.lstrip('+').startswith('work_dir=')]
            none = dict.fromkeys(options)
            folder = prepare(args, {**none, 'cfg_options': places}).work_dir
        check_resumable(folder, args.resume)
        options = with_stored_options(folder, options)
    cfg = prepare(args, options)
    if args.verbose:
        print_whole_log(cfg)
    runner = train(cfg, args.launcher, options)
    if finish_distributed(cfg) and cfg.get('report_after_training') and cfg.get('val_dataloader'):
        from vtg.apis.test import run_test

        run_test(cfg, runner.best_checkpoint, split='val')


if __name__ == '__main__':
    run_main(main, 'saved checkpoints are whole, the same command with --resume goes on')
