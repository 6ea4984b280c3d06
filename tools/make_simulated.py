#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write simulated videos in the format for own data: annotations and features, in three splits."""

import argparse

from vtg.apis.command_line import ArgumentParser, number, seconds, seed, whole_number
from vtg.utils import run_main


def parse_args() -> argparse.Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('out', help='folder, e.g. data/custom')
    parser.add_argument('--videos', type=whole_number(), default=20, help='number of videos (20)')
    parser.add_argument('--clip-length', type=seconds, default=2.0, help='seconds per clip (2)')
    parser.add_argument('--dim', type=whole_number(), default=64, help='width of the features (64)')
    parser.add_argument('--difficulty', type=number(0, 1), default=0.0, help='0 (easy) to 1 (0)')
    parser.add_argument('--seed', type=seed, default=0)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from vtg.datasets.simulated import export_simulated

    counts = export_simulated(
        args.out,
        args.videos,
        clip_length=args.clip_length,
        video_dim=args.dim,
        text_dim=args.dim,
        difficulty=args.difficulty,
        seed=args.seed,
    )
    listed = ', '.join(f'{count} {split}' for split, count in counts.items())
    print(f'{args.out}: {args.videos} videos with {listed} queries')


if __name__ == '__main__':
    run_main(main)
