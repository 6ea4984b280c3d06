#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What it costs to ground queries in one video: time per query, memory, operations, waits.

Video, queries and weights are noise of the config's widths. See docs/speed.md for what the columns
say.
"""

import argparse
import contextlib
import json
import tempfile
from pathlib import Path
from typing import Any

import measure
import numpy as np
import torch

from vtg.utils import run_main

TYPES = {'fp32': torch.float32, 'bf16': torch.bfloat16}
COLUMNS = (
    ('operations', 'operations', '{:.0f}', 1),
    ('synchronisations', 'syncs', '{:.0f}', 1),
    ('peak_bytes', 'peak MiB', '{:.0f}', 2**-20),
    ('process_bytes', 'process MiB', '{:.0f}', 2**-20),
    ('flops', 'GFLOP', '{:.1f}', 1e-9),
    ('wall', 'wall ms/query', '{:.0f}', 1e3),
    ('cpu', 'CPU ms/query', '{:.0f}', 1e3),
)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('configs', nargs='+', help='config files, e.g. configs/sgdetr/custom.py')
    parser.add_argument('--clips', type=int, default=3600, help='clips of the video')
    parser.add_argument('--queries', type=int, nargs='+', default=[1, 32])
    parser.add_argument('--words', type=int, default=20, help='most words of a query')
    parser.add_argument('--precision', nargs='+', choices=tuple(TYPES), default=['fp32'])
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--threads', type=int, default=1, help='CPU threads')
    parser.add_argument('--repeats', type=int, default=3, help='timed calls; 0 counts only')
    parser.add_argument('--only-time', action='store_true', help='count nothing, time only')
    parser.add_argument('--top', action='store_true', help='name the most frequent operations')
    parser.add_argument('--json', metavar='FILE', help='write the numbers there as well')
    parser.add_argument(
        '--cfg-options', nargs='+', action='extend', default=[], metavar='KEY=VALUE',
        help='override config values',
    )  # fmt: skip
    return parser.parse_args()


def build_call(
    config: str | Path,
    clips: int,
    queries: int,
    words: int,
    precision: str = 'fp32',
    device: str = 'cpu',
    options: list[str] | None = None,
) -> measure.Work:
    """Ground ``queries`` sentences in one video of ``clips`` clips, ready to be repeated."""
    from mmengine.registry import init_default_scope

    from vtg.apis.inference import Inferencer
    from vtg.engine import load_config
    from vtg.registry import MODELS

    init_default_scope('vtg')
    cfg = load_config(config, options or [])
    torch.manual_seed(0)
    model = MODELS.build(cfg.model.to_dict())
    with tempfile.TemporaryDirectory() as folder:
        torch.save({'state_dict': model.state_dict()}, Path(folder, 'noise.pth'))
        inferencer = Inferencer(cfg, Path(folder, 'noise.pth'), device)
    rng = np.random.default_rng(0)
    reader, assembly = inferencer.dataset.reader, inferencer.dataset.assembly
    endpoints = 2 * len(assembly.tef_after(len(reader.video)))

    def noise(rows: int, width: int) -> np.ndarray:
        return rng.standard_normal((rows, width), dtype=np.float32)

    # A store of own data accepts any width, and there is one of it.
    whole = model.video_projector.in_dim - endpoints
    video = [noise(clips, store.dim or whole) for store in reader.video]
    width = model.text_projector.in_dim
    text = [noise(max(1, words - index % 8), width) for index in range(queries)]
    sentences = [f'query {index}' for index in range(queries)]

    def call() -> object:
        with contextlib.ExitStack() as stack:
            if precision != 'fp32':
                stack.enter_context(torch.autocast(device, TYPES[precision]))
            return inferencer(video, sentences, text)

    return call


def process_peak(work: measure.Work) -> int:
    """By how many bytes the memory of the process grows during a call; 0 where nobody tells."""
    status = Path('/proc/self/status')
    try:
        Path('/proc/self/clear_refs').write_text('5')  # the peak starts anew
        before = _kilobytes(status.read_text(), 'VmRSS')
        work()
        return 1024 * (_kilobytes(status.read_text(), 'VmHWM') - before)
    except OSError:
        return 0


def _kilobytes(status: str, name: str) -> int:
    (line,) = (line for line in status.splitlines() if line.startswith(f'{name}:'))
    return int(line.split()[1])


def measured(args: argparse.Namespace, config: str) -> dict[str, dict[str, float]]:
    """The figures of one config by precision and number of queries."""
    device = torch.device(args.device)
    result: dict[str, dict[str, float]] = {}
    works = {}
    for precision in args.precision:
        for queries in args.queries:
            name = f'{precision} x{queries}'
            work = works[name] = build_call(
                config, args.clips, queries, args.words, precision, args.device, args.cfg_options
            )
            result[name] = {'queries': queries}
            if args.only_time:
                continue
            result[name]['process_bytes'] = process_peak(work)
            result[name] |= {**measure.counts(work), 'flops': measure.flops(work)}
            if device.type == 'cuda':
                torch.cuda.reset_peak_memory_stats()
                work()
                result[name]['peak_bytes'] = torch.cuda.max_memory_allocated()
            if args.top:
                frequent = ', '.join(f'{key} {count}' for key, count in measure.frequent(work))
                print(f'{config} {name}: {frequent}')
    if args.repeats:
        times = measure.interleaved(works, args.repeats, device)
        for name, figures in result.items():
            figures |= {key: value / figures['queries'] for key, value in times[name].items()}
    return result


def main() -> None:
    args = parse_args()
    torch.set_num_threads(args.threads)
    facts: dict[str, Any] = {
        'commit': measure.commit(), 'torch': torch.__version__, 'device': args.device,
        'threads': args.threads, 'clips': args.clips, 'words': args.words,
    }  # fmt: skip
    print(', '.join(f'{key} {value}' for key, value in facts.items() if value))
    width = max(map(len, args.configs))
    print(f'{"config":{width}}           ' + ' '.join(f'{title:>13}' for _, title, *_ in COLUMNS))
    results = {}
    for config in args.configs:
        results[config] = measured(args, config)
        for name, figures in results[config].items():
            cells = (
                form.format(figures[key] * scale) if key in figures else '-'
                for key, _, form, scale in COLUMNS
            )
            row = ' '.join(f'{cell:>13}' for cell in cells)
            print(f'{config:{width}}  {name:9}{row}', flush=True)
    if args.json:
        Path(args.json).write_text(json.dumps({**facts, 'results': results}, indent=1) + '\n')


if __name__ == '__main__':
    run_main(main)
