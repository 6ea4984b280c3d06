#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print a config with everything it inherits, optionally with the file each value came from."""

import argparse
import os

from vtg.utils import run_main


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('--origin', action='store_true', help='name the file behind every value')
    parser.add_argument(
        '--cfg-options', nargs='+', action='extend', default=[], metavar='KEY=VALUE',
        help='override config values; +KEY=VALUE adds a key',
    )  # fmt: skip
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from vtg.engine.config import flatten, load_config, origins, read_config

    cfg = load_config(args.config, args.cfg_options)
    if not args.origin:
        print(cfg.pretty_text)
        return
    written, sources = dict(flatten(read_config(args.config)._cfg_dict)), origins(args.config)
    for key, value in flatten(cfg._cfg_dict):
        unchanged = key in written and written[key] == value
        given = '--cfg-options' if args.cfg_options else 'default of the toolbox'
        source = os.path.relpath(sources[key]) if unchanged else given
        print(f'{key} = {value!r}  # {source}')


if __name__ == '__main__':
    run_main(main)
