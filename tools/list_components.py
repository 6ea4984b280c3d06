#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""List the registered components by slot, each with a one-line description."""

import argparse

from vtg.utils import ConfigError, nearest_names, run_main


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('slot', nargs='?', help='only this slot, e.g. fusion')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from vtg.engine.components import list_components

    listing = list_components()
    if args.slot is not None:
        if args.slot not in listing:
            close = nearest_names(args.slot, listing) or sorted(listing)
            raise ConfigError(f'there is no slot {args.slot!r}; choose {" or ".join(close)}.')
        listing = {args.slot: listing[args.slot]}
    for slot, components in listing.items():
        width = max(map(len, components))
        print(slot)
        for name, description in components.items():
            print(f'  {name:<{width}}  {description}')
        print()


if __name__ == '__main__':
    run_main(main)
