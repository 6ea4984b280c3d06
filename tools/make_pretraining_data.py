#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make pre-training data from videos; interrupted work goes on where it stopped."""

import argparse
from typing import Any

from vtg.apis.command_line import ArgumentParser, number, seconds, seed, whole_number
from vtg.utils import printable, progress_bar, run_main


def parse_args() -> argparse.Namespace:
    parser = ArgumentParser(description=__doc__, fromfile_prefix_chars='@')
    kinds = parser.add_subparsers(dest='data', required=True)
    videolights = kinds.add_parser('videolights', help='captions of intervals (Algorithm 1)')
    videolights.add_argument('videos', nargs='+', help='video files or folders')
    videolights.add_argument('--captioner', required=True, metavar='blip|blip2=WEIGHTS')
    videolights.add_argument('--scorer', required=True, metavar='clip|blip|blip2=WEIGHTS')
    videolights.add_argument('--interval', type=seconds, default=10.0, help='seconds (10)')
    videolights.add_argument(
        '--released-code', action='store_true',
        help='equal intervals, exponential scores, no last clip, as the released generator',
    )  # fmt: skip
    intervid = kinds.add_parser('intervidmr', help='moments for captioned intervals (InterVid-MR)')
    intervid.add_argument('captions', help='JSON lines: vid, caption, start, end')
    intervid.add_argument('videos', nargs='+', help='video files or folders')
    intervid.add_argument('--encoder', required=True, metavar='clip|internvideo2=WEIGHTS')
    intervid.add_argument(
        '--encoder-options', nargs='+', action='extend', default=[], metavar='KEY=VALUE'
    )
    intervid.add_argument(
        '--limit', type=whole_number(), default=150_000, help='of captions (150000)'
    )
    intervid.add_argument('--seed', type=seed, default=0, help='of the order they are taken in')
    for kind in (videolights, intervid):
        kind.add_argument('--out', required=True, help='folder; gets annotations.jsonl')
        kind.add_argument('--clip-len', type=seconds, default=2.0, help='seconds per clip (2)')
        kind.add_argument(
            '--shard-size', type=whole_number(), default=16, help='videos in one (16)'
        )
        kind.add_argument('--device', help='cuda, cpu (default: a GPU where there is one)')
        kind.add_argument('--ray', action='store_true', help='work on Ray')
        kind.add_argument('--ray-workers', type=whole_number(), default=2)
        kind.add_argument('--ray-gpus', type=number(), default=0.0, help='GPUs per worker')
        kind.add_argument('--ray-address', help='a running cluster, e.g. auto')
    return parser.parse_args()


def make(args: argparse.Namespace, common: dict[str, Any]) -> dict[str, Any]:
    """Make the data that the arguments ask for; returns statistics and problems."""
    from vtg.engine.config import parse_options
    from vtg.extraction import find_videos
    from vtg.extraction.encoders.names import captioner_config, encoder_config, scorer_config
    from vtg.pretraining import make_intervid_mr, make_synthetic_pairs, read_rows
    from vtg.utils import check_clip_length, check_output

    check_output(args.out, [*args.videos, getattr(args, 'captions', None)])
    check_clip_length(args.clip_len, '--clip-len')
    videos = find_videos(args.videos)
    if args.data == 'videolights':
        released: dict[str, Any] = {
            'intervals': 'even',
            'saliency': 'exponential',
            'drop_last': True,
        }
        return make_synthetic_pairs(
            videos,
            captioner=captioner_config(args.captioner, device=args.device),
            scorer=scorer_config(args.scorer, device=args.device),
            interval=args.interval,
            **(released if args.released_code else {}),
            **common,
        )
    options = {'device': args.device, **parse_options(args.encoder_options)}
    return make_intervid_mr(
        read_rows(args.captions),
        videos,
        encoder=encoder_config(args.encoder, **options),
        limit=args.limit,
        seed=args.seed,
        **common,
    )


def main() -> int:
    args = parse_args()
    from vtg.extraction import RayOptions

    ray = None
    if args.ray:
        ray = RayOptions(args.ray_workers, args.ray_gpus, chunk=1, address=args.ray_address)
    common = {
        'folder': args.out, 'clip_length': args.clip_len, 'shard_size': args.shard_size, 'ray': ray,
        'on_start': progress_bar,
    }  # fmt: skip
    result = make(args, common)
    print(f'\n{args.out}/annotations.jsonl: {result["statistics"]["samples"]["written"]} samples')
    for group, counts in result['statistics'].items():
        print(f'  {group}: ' + ', '.join(f'{key} {number}' for key, number in counts.items()))
    print(''.join(f'  {printable(problem)}\n' for problem in result['problems']), end='')
    return int(bool(result['problems']))


if __name__ == '__main__':
    run_main(main, 'finished files are kept, the same command goes on')
