#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Train all combinations of configs and config values with several seeds and compare them."""

import argparse
from pathlib import Path

from vtg.apis.command_line import ArgumentParser, seeds, whole_number
from vtg.utils import printable, run_main

EXAMPLE = """example:
  tools/sweep.py configs/sgdetr/demo.py --grid model.fusion.type=SGCA,BiCMF,ACA \\
      --grid model.neck=None,'{"type": "DepthwisePyramid"}' --seeds 0,1,2 --jobs 2

  tools/sweep.py configs/*/demo.py --add idea.py --seeds 0,1,2 --jobs 2

A new type keeps the arguments that the new component takes. A JSON object is merged, or with
"_delete_": true replaces what was there. The same command goes on where it was stopped."""


def parse_args() -> argparse.Namespace:
    parser = ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('configs', nargs='+', help='config files, e.g. configs/sgdetr/demo.py')
    parser.add_argument(
        '--add', nargs='+', default=[], metavar='FILE',
        help='fragments of a config: train every config without them and with each',
    )  # fmt: skip
    parser.add_argument(
        '--grid', action='append', default=[], metavar='KEY=VALUE,VALUE,...',
        help='values of a config key; several --grid are combined',
    )  # fmt: skip
    parser.add_argument('--seeds', type=seeds, default='0', help='comma-separated (0)')
    parser.add_argument('--jobs', type=whole_number(), default=1, help='trainings at a time (1)')
    parser.add_argument('--out', help='folder (work_dirs/sweep_<system>_<config> or sweep_systems)')
    parser.add_argument(
        '--metrics', default='',
        help='comma-separated columns of the table; also seconds, cpu_seconds, parameters',
    )  # fmt: skip
    parser.add_argument(
        '--untrained', action='store_true',
        help='also evaluate the weights before training: metrics untrained/<name>',
    )  # fmt: skip
    parser.add_argument(
        '--page', metavar='FILE',
        help='Markdown page whose table is replaced, with the trainings in a CSV file beside it',
    )  # fmt: skip
    parser.add_subset()
    parser.add_overrides('override config values of all trainings')
    return parser.parse_args()


def main() -> int:
    args = parse_args()
    # Imported here so that --help and a mistyped option answer at once.
    from vtg.sweeps import run_sweep

    path = Path(args.configs[0]).resolve()
    name = 'systems' if len(args.configs) > 1 else f'{path.parent.name}_{path.stem}'
    out = args.out or f'work_dirs/sweep_{name}'
    metrics = [name for name in args.metrics.split(',') if name]
    summary = run_sweep(
        args.configs, args.grid, args.seeds, out, args.jobs, args.cfg_options, metrics,
        say=lambda line: print(printable(line), flush=True), add=args.add,
        untrained=args.untrained, page=args.page, rehearsal=args.rehearsal, limit=args.limit,
    )  # fmt: skip
    print(summary.table())
    print(f'written: {out}/sweep.md, sweep.csv, runs.csv')
    return 1 if summary.failures else 0


if __name__ == '__main__':
    run_main(main, 'finished trainings are kept, the same command goes on')
