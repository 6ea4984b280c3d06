#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a training step of a config costs: forward, losses, backward, clipping, optimizer.

The batch is noise of the config's widths. See docs/speed.md for what the columns say.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import measure
import torch

from vtg.utils import run_main

TYPES = {'fp32': torch.float32, 'bf16': torch.bfloat16}
COLUMNS = (
    ('operations', 'operations', '{:.0f}', 1),
    ('synchronisations', 'syncs', '{:.0f}', 1),
    ('peak_bytes', 'peak MiB', '{:.0f}', 2**-20),
    ('flops', 'GFLOP', '{:.1f}', 1e-9),
    ('wall', 'wall ms', '{:.0f}', 1e3),
    ('cpu', 'CPU ms', '{:.0f}', 1e3),
    ('floor', 'floor ms', '{:.0f}', 1e3),
    ('ratio', 'ratio', '{:.2f}', 1),
)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('configs', nargs='+', help='config files, e.g. configs/qd_detr/qvhl.py')
    parser.add_argument('--batch-size', type=int, default=32)
    parser.add_argument('--clips', type=int, default=75, help='clips of every video')
    parser.add_argument('--words', type=int, default=20, help='most words of a query')
    parser.add_argument('--precision', nargs='+', choices=tuple(TYPES), default=list(TYPES))
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--threads', type=int, default=1, help='CPU threads')
    parser.add_argument('--repeats', type=int, default=5, help='timed steps; 0 counts only')
    parser.add_argument('--top', action='store_true', help='name the most frequent operations')
    parser.add_argument('--json', metavar='FILE', help='write the numbers there as well')
    parser.add_argument(
        '--cfg-options', nargs='+', action='extend', default=[], metavar='KEY=VALUE',
        help='override config values',
    )  # fmt: skip
    return parser.parse_args()


def build_step(
    config: str | Path,
    batch_size: int,
    clips: int,
    words: int,
    precision: str = 'fp32',
    device: str = 'cpu',
    options: list[str] | None = None,
) -> measure.Work:
    """A training step of a config on a batch of noise, ready to be repeated."""
    from mmengine.optim import build_optim_wrapper
    from mmengine.registry import init_default_scope

    from vtg.engine import load_config
    from vtg.models.rehearsal import noise_batch
    from vtg.registry import MODELS

    init_default_scope('vtg')
    cfg = load_config(config, options or [])
    torch.manual_seed(0)
    model = MODELS.build(cfg.model.to_dict()).to(device).train()
    wrapper = cfg.optim_wrapper.to_dict()
    if precision == 'bf16':
        wrapper |= {'type': 'AutocastOptimWrapper', 'dtype': 'bfloat16'}
    optimizer = build_optim_wrapper(model, wrapper)
    lengths = [max(1, words - index % 8) for index in range(batch_size)]
    batch = noise_batch(model, [clips] * batch_size, lengths)
    return lambda: model.train_step(batch, optimizer)


def measured(args: argparse.Namespace, config: str) -> dict[str, dict[str, float]]:
    """The figures of one config by precision."""
    device = torch.device(args.device)
    result: dict[str, dict[str, float]] = {}
    works, sizes = {}, {}
    for name in args.precision:
        step = build_step(
            config, args.batch_size, args.clips, args.words, name, args.device, args.cfg_options
        )
        step()  # makes the state of the optimizer
        result[name] = {**measure.counts(step), 'flops': measure.flops(step)}
        if device.type == 'cuda':
            torch.cuda.reset_peak_memory_stats()
            step()
            result[name]['peak_bytes'] = torch.cuda.max_memory_allocated()
        if args.top:
            print(f'{config} {name}: ' + ', '.join(f'{k} {v}' for k, v in measure.frequent(step)))
        works[name] = step
        works[f'{name} product'], sizes[name] = measure.matrix_work(TYPES[name], device)
    if args.repeats:
        times = measure.interleaved(works, args.repeats, device)
        key = 'wall' if device.type == 'cuda' else 'cpu'
        for name, figures in result.items():
            floor = figures['flops'] * times[f'{name} product'][key] / sizes[name]
            figures |= {**times[name], 'floor': floor, 'ratio': times[name][key] / floor}
    return result


def main() -> None:
    args = parse_args()
    torch.set_num_threads(args.threads)
    facts: dict[str, Any] = {
        'commit': measure.commit(), 'torch': torch.__version__, 'device': args.device,
        'threads': args.threads, 'batch_size': args.batch_size, 'clips': args.clips,
        'words': args.words,
    }  # fmt: skip
    print(', '.join(f'{key} {value}' for key, value in facts.items() if value))
    width = max(map(len, args.configs))
    print(f'{"config":{width}}       ' + ' '.join(f'{title:>10}' for _, title, *_ in COLUMNS))
    results = {}
    for config in args.configs:
        results[config] = measured(args, config)
        for name, figures in results[config].items():
            cells = (
                form.format(figures[key] * scale) if key in figures else '-'
                for key, _, form, scale in COLUMNS
            )
            row = ' '.join(f'{cell:>10}' for cell in cells)
            print(f'{config:{width}}  {name} {row}', flush=True)
    if args.json:
        Path(args.json).write_text(json.dumps({**facts, 'results': results}, indent=1) + '\n')


if __name__ == '__main__':
    run_main(main)
