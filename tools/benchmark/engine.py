#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Time of a training step beside the model: our hooks and wrapper against MMEngine's.

A tiny model makes the step cheap, so what is measured is the engine. Each step logs a number of
loss terms, as the systems here do.
"""

import argparse
import logging
import tempfile
import time
from typing import Any

from vtg.utils import run_main


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--steps', type=int, default=2000, help='measured steps')
    parser.add_argument('--terms', type=int, default=20, help='loss terms per step')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    import torch
    from mmengine.hooks import Hook
    from mmengine.model import BaseModel
    from mmengine.runner import Runner

    from vtg.engine import GroundingRunner

    class Tiny(BaseModel):
        """One linear layer with many loss terms."""

        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(8, args.terms)

        def forward(self, data: torch.Tensor, mode: str = 'loss') -> dict[str, torch.Tensor]:
            terms = self.layer(data).square().mean(0).unbind()
            return {f'loss_{index}': term for index, term in enumerate(terms)}

    class Clock(Hook):
        """Times the steps after the first hundred."""

        seconds = 0.0

        def after_train_iter(self, runner: Runner, batch_idx: int, **kwargs: object) -> None:
            if batch_idx == 100:
                self.start = time.perf_counter()
            self.seconds = time.perf_counter() - getattr(self, 'start', time.perf_counter())

    data: Any = [{'data': torch.randn(32, 8)}] * (args.steps + 101)
    ours = {
        'runtime_info': {'type': 'vtg.SparseRuntimeInfoHook'},
        'epoch_seed': {'type': 'vtg.EpochSeedHook'},
        'progress': {'type': 'vtg.ProgressHook'},
        'nan_guard': {'type': 'vtg.NanGuardHook'},
    }
    plain: tuple = ('MMEngine', Runner, 'OptimWrapper', {})
    full = ('vtg', GroundingRunner, 'vtg.GroundingOptimWrapper', ours)
    for number, (name, runner_type, wrapper, hooks) in enumerate((plain, full, plain, full)):
        clock = Clock()
        with tempfile.TemporaryDirectory() as folder:
            runner = runner_type(
                model=Tiny(),
                work_dir=folder,
                train_dataloader=torch.utils.data.DataLoader(data, batch_size=None),
                train_cfg={'by_epoch': True, 'max_epochs': 1},
                optim_wrapper={
                    'type': wrapper,
                    'optimizer': {'type': 'AdamW', 'lr': 1e-3},
                    'clip_grad': {'max_norm': 0.1},
                },
                default_hooks={
                    **hooks,
                    'checkpoint': None,
                    'sampler_seed': None,
                    'logger': {'type': 'LoggerHook', 'interval': 50},
                },
                custom_hooks=[clock],
                log_level=logging.ERROR,
                experiment_name=f'{name}{number}',
            )
            runner.train()
        print(f'{name:9} {1000 * clock.seconds / args.steps:.3f} ms per step')


if __name__ == '__main__':
    run_main(main)
