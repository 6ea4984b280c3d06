#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Train and evaluate one model per domain with several seeds (TVSum, YouTube Highlights), or
evaluate given weights on every domain."""

import argparse
from pathlib import Path

from vtg.apis.command_line import ArgumentParser, seeds, whole_number
from vtg.utils import printable, run_main

EXAMPLE = """example:
  tools/train_domains.py configs/qd_detr/tvsum_rehearsal.py --seeds 0,1 --jobs 2

  tools/train_domains.py configs/sgdetr/tvsum.py --checkpoint PRETRAINED

The same command goes on where it was stopped: finished trainings are kept."""


def parse_args() -> argparse.Namespace:
    parser = ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file with a list of domains')
    parser.add_argument('--domains', nargs='+', default=[], help='which of them (all)')
    parser.add_argument('--seeds', type=seeds, default='0', help='comma-separated (0)')
    parser.add_argument('--jobs', type=whole_number(), default=1, help='trainings at a time (1)')
    parser.add_argument('--work-dir', help='folder (work_dirs/domains_<system>_<config>)')
    parser.add_argument(
        '--selection', choices=('best', 'last'), default='best',
        help='evaluate the best epoch by the save_best of the config, or the last epoch',
    )  # fmt: skip
    parser.add_argument(
        '--rehearsal', action='store_true',
        help='simulated features of the same widths in place of those in files',
    )  # fmt: skip
    parser.add_argument(
        '--checkpoint', help='train nothing: evaluate these weights on every domain (zero-shot)'
    )
    parser.add_argument('--metric', default='HL-mAP', help='tabulated number (HL-mAP)')
    parser.add_overrides('override config values of all trainings')
    return parser.parse_args()


def main() -> int:
    args = parse_args()
    # Imported here so that --help and a mistyped option answer at once.
    from vtg.sweeps.domains import evaluate_domains, train_domains

    path = Path(args.config).resolve()
    out = args.work_dir or f'work_dirs/domains_{path.parent.name}_{path.stem}'
    if args.checkpoint:
        table = evaluate_domains(
            args.config, args.checkpoint, out, args.domains, args.cfg_options, args.rehearsal,
            args.metric,
        )  # fmt: skip
    else:
        table = train_domains(
            args.config, args.seeds, out, args.domains, args.jobs, args.cfg_options,
            args.selection, args.rehearsal, args.metric,
            say=lambda line: print(printable(line), flush=True),
        )  # fmt: skip
    print(table.text())
    print(f'written: {out}/domains.md, domains.csv, domains.json')
    return 1 if table.failures else 0


if __name__ == '__main__':
    run_main(main, 'finished trainings are kept, the same command goes on')
