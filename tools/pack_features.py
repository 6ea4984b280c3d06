# SPDX-License-Identifier: Apache-2.0
"""Pack a folder of feature files into one memory-mapped array with an index and a checksum."""

import argparse

from vtg.apis.command_line import ArgumentParser, whole_number
from vtg.utils import printable, progress_bar, run_main


def parse_args() -> argparse.Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('folder', help='folder with one .npz, .npy or .pt file per video or query')
    parser.add_argument('out', help='folder to write, for PackedStore(folder=...)')
    parser.add_argument('--pattern', default='*', help='which files to take (default: all)')
    parser.add_argument('--dtype', choices=('float16', 'float32'), default='float16')
    parser.add_argument(
        '--dim', type=whole_number(), help='expected width (that of the first file)'
    )
    parser.add_argument(
        '--row-shape',
        type=whole_number(),
        nargs='+',
        default=(),
        metavar='SIZE',
        help='axes of a row in front of the width, e.g. 4 50 for layers and patches',
    )
    parser.add_argument('--skip-bad', action='store_true', help='leave bad files out')
    parser.add_argument('--force', action='store_true', help='replace an existing folder')
    return parser.parse_args()


def main() -> int:
    args = parse_args()
    from vtg.datasets.stores import pack_features

    result = pack_features(
        args.folder,
        args.out,
        pattern=args.pattern,
        dtype=args.dtype,
        dim=args.dim,
        row_shape=args.row_shape,
        skip_bad=args.skip_bad,
        force=args.force,
        on_start=progress_bar,
    )
    size = result.size / 2**20
    print(f'\n{args.out}: {result.arrays} arrays, {result.rows} rows, {size:.1f} MiB')
    if result.problems:
        print(f'{len(result.problems)} bad files left out:')
        print('\n'.join(f'  {printable(problem)}' for problem in result.problems))
    return 0


if __name__ == '__main__':
    run_main(main)
