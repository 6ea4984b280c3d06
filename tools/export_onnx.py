#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write a trained model as an ONNX file, compared with PyTorch before it is kept."""

import argparse

from vtg.apis.command_line import ArgumentParser
from vtg.utils import ConfigError, run_main


def parse_args() -> argparse.Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config of the model, or the folder of a published one')
    parser.add_argument('checkpoint', nargs='?', help='weights; a published model brings its own')
    parser.add_argument('out', help='file to write, .onnx')
    parser.add_overrides()
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from pathlib import Path

    from vtg.apis.export import CHECKED, TOLERANCE, export_onnx
    from vtg.apis.publishing import find_model
    from vtg.engine import load_config

    source, weights = args.config, args.checkpoint
    if weights is None:
        if str(source).endswith('.py') or Path(source).is_file():
            raise ConfigError(f'{source} is a config without weights; give a checkpoint behind it.')
        source = weights = find_model(source)
    worst = export_onnx(load_config(source, args.cfg_options), weights, args.out, str(args.config))
    sizes = ' and '.join(f'{batch} x {clips} x {words}' for batch, clips, words in CHECKED)
    print(f'compared with PyTorch (videos x clips x words: {sizes}; allowed {TOLERANCE:g}):')
    for name, difference in worst.items():
        print(f'  {name:<10} differs by at most {difference:.1e}')
    print(f'written: {args.out}')


if __name__ == '__main__':
    run_main(main)
