#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rewrite a checkpoint that holds Python objects as one that holds tensors and plain values.

Reading such a file can run code that its author put there. --trust says that you accept this.
"""

import argparse

from vtg.utils import run_main


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('source', metavar='IN', help='checkpoint to read')
    parser.add_argument('target', metavar='OUT', help='checkpoint to write')
    parser.add_argument('--trust', action='store_true', help='execute what the file contains')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from vtg.engine.legacy import convert

    dropped = convert(args.source, args.target, trust=args.trust)
    print(f'wrote {args.target}')
    if dropped:
        print(f'left out, no plain values: {", ".join(dropped)}')


if __name__ == '__main__':
    run_main(main)
