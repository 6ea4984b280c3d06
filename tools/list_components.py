#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""List the registered components by slot, or tell about one: signature, what it reads and sets."""

import argparse

from vtg.apis.command_line import ArgumentParser
from vtg.utils import run_main


def parse_args() -> argparse.Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument(
        'name', nargs='?', help='a component, e.g. SGCA, or a slot, e.g. fusion (default: all)'
    )
    parser.add_argument(
        '--import', dest='modules', nargs='+', default=[], metavar='MODULE',
        help='modules that register components of your own, found by PYTHONPATH',
    )  # fmt: skip
    parser.add_argument(
        '--config', help='a config: its custom_imports, and where the component stands in it'
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from vtg.engine.components import list_components
    from vtg.engine.config import read_config
    from vtg.engine.describing import describe_component, import_components
    from vtg.engine.tree import tree

    import_components(args.modules)
    cfg = tree(read_config(args.config)) if args.config else None
    listing = list_components()
    if args.name is not None and args.name not in listing:
        print(describe_component(args.name, cfg))
        return
    for slot, components in listing.items():
        if args.name in (None, slot):
            width = max(map(len, components))
            print(slot)
            for name, description in components.items():
                print(f'  {name:<{width}}  {description}')
            print()


if __name__ == '__main__':
    run_main(main)
