#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print a config with everything it inherits, optionally with the file each value came from."""

import argparse
import os

from vtg.apis.command_line import ArgumentParser
from vtg.utils import run_main


def parse_args() -> argparse.Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('--origin', action='store_true', help='name the file behind every value')
    parser.add_overrides()
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from mmengine.config import Config

    from vtg.engine.config import load_config, origins, read_config, settle_benchmark
    from vtg.engine.tree import flatten, tree

    cfg = load_config(args.config, args.cfg_options)
    if not args.origin:
        print(Config.pretty_text.fget(cfg))  # as a person would write it
        return
    written, sources = dict(flatten(tree(read_config(args.config)))), origins(args.config)
    derived = read_config(args.config)
    reasons = settle_benchmark(derived)
    settled = dict(flatten(tree(derived)))
    for key, value in flatten(tree(cfg)):
        if key not in settled or settled[key] != value:
            source = '--cfg-options'
        elif key in written:
            source = os.path.relpath(sources[key])
        else:
            source = f'from {next(why for place, why in reasons.items() if _inside(key, place))}'
        print(f'{key} = {value!r}  # {source}')


def _inside(key: str, place: str) -> bool:
    """Whether a dotted path is a place in the config or lies in it."""
    return f'{key}.'.startswith(f'{place}.')


if __name__ == '__main__':
    run_main(main)
