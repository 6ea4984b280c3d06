# SPDX-License-Identifier: Apache-2.0
"""Train a config in a process of its own, optionally killed with SIGKILL.

Usage: run_training.py CONFIG WORK_DIR [--kill-at STEP] [--kill-in-validation EPOCH] [--resume]
       [--launcher pytorch] [--cfg-options ...]
"""

import argparse
import sys
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument('config')
    parser.add_argument('work_dir')
    parser.add_argument('--kill-at', type=int)
    parser.add_argument('--kill-in-validation', type=int)
    parser.add_argument('--resume', action='store_true')
    parser.add_argument('--launcher', default='none')
    parser.add_argument('--cfg-options', nargs='+', default=[])
    args = parser.parse_args()

    sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[3])]
    import vtg_toy  # noqa: F401  (registers KillHook)

    from vtg.apis.train import configure, train
    from vtg.engine import load_config
    from vtg.engine.dist import finish_distributed

    cfg = load_config(args.config, args.cfg_options)
    configure(cfg, args.work_dir, 'auto' if args.resume else False)
    kills = {'iteration': args.kill_at, 'validation': args.kill_in_validation}
    kills = {name: number for name, number in kills.items() if number is not None}
    if kills:
        cfg.custom_hooks = [*cfg.get('custom_hooks', []), {'type': 'KillHook', **kills}]
    train(cfg, args.launcher)
    finish_distributed(cfg)


if __name__ == '__main__':
    main()
