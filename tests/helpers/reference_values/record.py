#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Record the values that the toolbox gives now; do so only for an intended change of numbers.

The sets go to tests/data/reference_values, or to another folder, for all systems or those named.
"""

import argparse
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('systems', metavar='SYSTEM', nargs='*', help='only these')
    parser.add_argument('--folder', type=Path, default=TESTS / 'data' / 'reference_values')
    args = parser.parse_args()
    sys.path.insert(0, str(TESTS / 'helpers'))
    from systems import SYSTEMS

    from reference_values.recorded import record

    args.folder.mkdir(parents=True, exist_ok=True)
    for system in args.systems or SYSTEMS:
        record(system, args.folder)
        print(f'recorded {system}')


if __name__ == '__main__':
    main()
