# SPDX-License-Identifier: Apache-2.0
"""One training of a sweep, in a process of its own:
``python -m vtg.sweeps.cell CONFIG WORK_DIR --seed SEED``."""

import argparse
import os
import time
from pathlib import Path
from typing import Any

from vtg.apis.test import evaluation_runner, run_test, test_in
from vtg.apis.train import configure, train
from vtg.engine import load_config
from vtg.engine.run_folder import locked
from vtg.structures import MAIN
from vtg.utils import run_main, write_json

DONE = 'done.json'
# In front of the metrics of the weights that a training starts from.
UNTRAINED = 'untrained/'


def train_cell(
    config: str | Path, work_dir: str | Path, seed: int, untrained: bool = False
) -> dict[str, Any]:
    """Train a config, or go on from its last checkpoint, and evaluate the best weights.

    Args:
        config: A resolved config file.
        work_dir: Its folder; ``done.json`` is written there when everything is finished.
        seed: Random seed.
        untrained: Evaluate the random weights of that seed too; their metrics are called
            ``untrained/<name>``.

    Returns:
        What ``done.json`` holds: ``metrics`` in per cent, ``headlines``, the names of those that
        their evaluator shows first, ``parameters``, ``seconds`` and ``cpu_seconds`` of this process
        and its children, ``seed``.
    """
    start = time.time()
    with locked(work_dir):
        cfg = configure(load_config(config), str(work_dir), resume='auto', seed=seed)
        runner = train(cfg)
        parameters = sum(parameter.numel() for parameter in runner.bare_model.parameters())
        report = run_test(cfg, runner.best_checkpoint, split='val', out=work_dir)
        metrics = {name: values[0] for name, values in report.rows.items()}
        if untrained:
            # The seed is set before a model is built, so these are the weights of the first step.
            found = test_in(evaluation_runner(cfg, 'val'), None).table[MAIN]
            metrics |= {f'{UNTRAINED}{name}': value for name, value in found.items()}
        result = {
            'metrics': metrics,
            'headlines': report.headlines,
            'parameters': parameters,
            'seconds': round(time.time() - start, 1),
            'cpu_seconds': round(sum(os.times()[:4]), 1),
            'seed': seed,
        }
        write_json(Path(work_dir) / DONE, result)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config')
    parser.add_argument('work_dir')
    parser.add_argument('--seed', type=int, required=True)
    parser.add_argument('--untrained', action='store_true')
    args = parser.parse_args()
    train_cell(args.config, args.work_dir, args.seed, args.untrained)


if __name__ == '__main__':
    run_main(main, 'saved checkpoints are whole, the sweep goes on from the last one')
