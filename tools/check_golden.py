#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compare the toolbox with the reference sets in a folder, quantity by quantity.

A set is NAME.json with or without NAME.npz. Prints the largest error and the tolerance of every
quantity; the exit status is 0 only if every quantity of every set holds or is skipped with a
reason.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from vtg.utils import run_main

ROOT = Path(__file__).resolve().parents[1]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('folder', metavar='DIR', help='where the sets lie')
    parser.add_argument('names', metavar='NAME', nargs='*', help='only these sets')
    parser.add_argument(
        '--quiet', action='store_true', help='print failures, skipped quantities and the summaries'
    )
    return parser.parse_intermixed_args()


def describe(rows: Sequence) -> list[str]:
    """One aligned line per row: name, error, tolerance, verdict and note."""
    width = max((len(row.name) for row in rows), default=0)
    lines = []
    for row in rows:
        verdict = 'FAILED' if row.failed else 'skipped' if row.skipped else 'ok'
        error, tolerance = (
            '-' if value is None else f'{value:.1e}' for value in (row.error, row.tolerance)
        )
        line = f'  {row.name:<{width}}  {error:>7}  {tolerance:>7}  {verdict:<7}  {row.note}'
        lines.append(line.rstrip())
    return lines


def count(rows: Sequence) -> str:
    """How many quantities were compared, skipped and missed."""
    skipped = sum(row.skipped for row in rows)
    failed = sum(row.failed for row in rows)
    return f'{len(rows) - skipped} compared, {skipped} skipped, {failed} failed'


def main() -> int:
    args = parse_args()
    # The comparison belongs to the tests: it is not part of the installed package.
    sys.path.insert(0, str(ROOT / 'tests' / 'helpers'))
    from reference_values.checks import find_sets, run_check

    names, every = find_sets(args.folder, args.names), []
    for name in names:
        rows = list(run_check(name, args.folder, ROOT / 'configs'))
        shown = [row for row in rows if not args.quiet or row.failed or row.skipped]
        print('\n'.join([f'{name}: {count(rows)}', *describe(shown)]), flush=True)
        every += rows
    print(f'{len(names)} sets: {count(every)}')
    return int(any(row.failed for row in every))


if __name__ == '__main__':
    run_main(main)
