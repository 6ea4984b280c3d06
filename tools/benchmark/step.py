#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a training step of a config costs: forward, losses, backward, clipping, optimizer.

The batch is noise of the config's widths. See docs/speed.md for what the columns say.
"""

import argparse
from pathlib import Path

import measure
import torch
from command import COUNTED, TYPES, Figures, counted, make_parser, print_table

from vtg.utils import run_main

COLUMNS = (
    *COUNTED,
    ('wall', 'wall ms', '{:.0f}', 1e3),
    ('cpu', 'CPU ms', '{:.0f}', 1e3),
    ('floor', 'floor ms', '{:.0f}', 1e3),
    ('ratio', 'ratio', '{:.2f}', 1),
)


def parse_args() -> argparse.Namespace:
    parser = make_parser(__doc__, 'configs/qd_detr/qvhl.py', 75, tuple(TYPES), 5)
    parser.add_argument('--batch-size', type=int, default=32)
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
    from vtg.engine.config import model_config
    from vtg.models.rehearsal import noise_batch
    from vtg.registry import MODELS

    init_default_scope('vtg')
    cfg = load_config(config, options or [])
    torch.manual_seed(0)
    model = MODELS.build(model_config(cfg).to_dict()).to(device).train()
    wrapper = cfg.optim_wrapper.to_dict()
    if precision == 'bf16':
        wrapper |= {'type': 'AutocastOptimWrapper', 'dtype': 'bfloat16'}
    optimizer = build_optim_wrapper(model, wrapper)
    lengths = [max(1, words - index % 8) for index in range(batch_size)]
    batch = noise_batch(model, [clips] * batch_size, lengths)
    return lambda: model.train_step(batch, optimizer)


def measured(args: argparse.Namespace, config: str) -> Figures:
    """The figures of one config by precision."""
    device = torch.device(args.device)
    result: Figures = {}
    works, sizes = {}, {}
    for name in args.precision:
        step = build_step(
            config, args.batch_size, args.clips, args.words, name, args.device, args.cfg_options
        )
        step()  # makes the state of the optimizer
        result[name] = counted(step, device, f'{config} {name}' if args.top else '')
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
    print_table(args, COLUMNS, measured, {'batch_size': args.batch_size})


if __name__ == '__main__':
    run_main(main)
