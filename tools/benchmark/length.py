#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What one training step on one video costs as the video gets longer, above all in memory.

Every length runs in a process of its own on noise of the config's widths. See docs/speed.md.
"""

import argparse
import multiprocessing
import os
import resource
import time
from pathlib import Path
from typing import Any

import measure
import torch
from step import build_step

from vtg.utils import run_main, write_json

DOCUMENTED = ['+model.checkpointing=True', '+model.defaults.attention_dropout=0.0']
"""The options that docs/speed.md names for long videos."""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('configs', nargs='+', help='config files, e.g. configs/qd_detr/qvhl.py')
    parser.add_argument('--clips', type=int, nargs='+', default=[75, 900, 1800, 3600])
    parser.add_argument('--words', type=int, default=20, help='words of the query')
    parser.add_argument('--threads', type=int, default=1, help='CPU threads')
    parser.add_argument(
        '--plain', action='store_true', help=f'leave out the options {" ".join(DOCUMENTED)}'
    )
    parser.add_argument('--json', metavar='FILE', help='write the numbers there as well')
    parser.add_argument(
        '--cfg-options', nargs='+', action='extend', default=[], metavar='KEY=VALUE',
        help='override config values',
    )  # fmt: skip
    return parser.parse_args()


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path('/proc/self/statm').read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE')


def measured(
    config: str, clips: int, words: int, threads: int, options: list[str]
) -> dict[str, Any]:
    """Growth of the process and CPU seconds of the first step, then its tracked tensors."""
    torch.set_num_threads(threads)
    step = build_step(config, 1, clips, words, options=options)
    before, used = resident(), time.process_time()
    step()
    seconds = time.process_time() - used
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    found = measure.counts(step)
    return {
        'resident_bytes': most - before,
        'tensor_bytes': found['peak_bytes'],
        'operations': found['operations'],
        'seconds': seconds,
    }


def main() -> None:
    args = parse_args()
    options = [*([] if args.plain else DOCUMENTED), *args.cfg_options]
    facts: dict[str, Any] = {
        'commit': measure.commit(), 'torch': torch.__version__, 'threads': args.threads,
        'words': args.words, 'options': options,
    }  # fmt: skip
    print(', '.join(f'{key} {value}' for key, value in facts.items()))
    width = max(map(len, args.configs))
    titles = ('process MiB', 'tensors MiB', 'operations', 'CPU s')
    print(f'{"config":{width}}  clips ' + ' '.join(f'{title:>11}' for title in titles))
    results: dict[str, dict[int, dict[str, Any]]] = {}
    fresh = multiprocessing.get_context('spawn')
    for config in args.configs:
        results[config] = {}
        for clips in args.clips:
            # The most memory that a process ever held never falls, so each is measured once.
            with fresh.Pool(1) as pool:
                row = pool.apply(measured, (config, clips, args.words, args.threads, options))
            results[config][clips] = row
            mib = [row[key] / 2**20 for key in ('resident_bytes', 'tensor_bytes')]
            print(
                f'{config:{width}} {clips:>6} {mib[0]:>11,.0f} {mib[1]:>11,.0f} '
                f'{row["operations"]:>11,} {row["seconds"]:>11.1f}',
                flush=True,
            )
    if args.json:
        write_json(args.json, {**facts, 'results': results})


if __name__ == '__main__':
    run_main(main)
