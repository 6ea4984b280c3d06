#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What it costs to ground queries in one video: time per query, memory, operations, waits.

Video, queries and weights are noise of the config's widths. See docs/speed.md for what the columns
say.
"""

import argparse
import contextlib
import tempfile
from pathlib import Path

import measure
import numpy as np
import torch
from command import COUNTED, TYPES, Figures, counted, make_parser, print_table

from vtg.utils import run_main

COLUMNS = (
    *COUNTED,
    ('process_bytes', 'process MiB', '{:.0f}', 2**-20),
    ('wall', 'wall ms/query', '{:.0f}', 1e3),
    ('cpu', 'CPU ms/query', '{:.0f}', 1e3),
)


def parse_args() -> argparse.Namespace:
    parser = make_parser(__doc__, 'configs/sgdetr/custom.py', 3600, ['fp32'], 3)
    parser.add_argument('--queries', type=int, nargs='+', default=[1, 32])
    parser.add_argument('--only-time', action='store_true', help='count nothing, time only')
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
    from vtg.engine.config import model_config
    from vtg.registry import MODELS

    init_default_scope('vtg')
    cfg = load_config(config, options or [])
    torch.manual_seed(0)
    model = MODELS.build(model_config(cfg).to_dict())
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


def measured(args: argparse.Namespace, config: str) -> Figures:
    """The figures of one config by precision and number of queries."""
    device = torch.device(args.device)
    result: Figures = {}
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
            result[name] |= counted(work, device, f'{config} {name}' if args.top else '')
    if args.repeats:
        times = measure.interleaved(works, args.repeats, device)
        for name, figures in result.items():
            figures |= {key: value / figures['queries'] for key, value in times[name].items()}
    return result


def main() -> None:
    print_table(parse_args(), COLUMNS, measured, {})


if __name__ == '__main__':
    run_main(main)
