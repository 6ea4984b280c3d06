#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Extract features of videos and queries; interrupted work goes on where it stopped."""

import argparse
from pathlib import Path

from vtg.apis.command_line import ArgumentParser, number, seconds, whole_number
from vtg.utils import printable, progress_bar, run_main


def parse_args() -> argparse.Namespace:
    parser = ArgumentParser(description=__doc__, fromfile_prefix_chars='@')
    parser.add_argument(
        'videos', nargs='*', help='video files or folders; @FILE reads them from a file, one a line'
    )
    parser.add_argument(
        '--backbone', required=True,
        help='clip, siglip, blip2, slowfast, internvideo2, torchscript (any exported program), '
        'concept (no download; objects and places), or a registered encoder',
    )  # fmt: skip
    parser.add_argument('--weights', default='', help='folder, file or hub name; concept has none')
    parser.add_argument('--out', required=True, help='gets the folders video/ and text/')
    parser.add_argument('--clip-len', type=seconds, default=2.0, help='seconds per clip (2)')
    parser.add_argument('--format', choices=('npz', 'packed'), default='npz')
    parser.add_argument('--dtype', choices=('float16', 'float32'), default='float32')
    parser.add_argument(
        '--text', metavar='FILE', help='annotation (.jsonl) whose queries to encode'
    )
    parser.add_argument('--text-pattern', default='qid{qid}', help='names of text files (qid{qid})')
    parser.add_argument('--jobs', type=whole_number(), default=1, help='videos decoded at a time')
    parser.add_argument('--device', help='cuda, cuda:1, cpu (default: a GPU where there is one)')
    parser.add_argument(
        '--encoder-options', nargs='+', action='extend', default=[], metavar='KEY=VALUE',
        help='further arguments of the encoder, e.g. frames_per_clip=32',
    )  # fmt: skip
    parser.add_argument('--ray', action='store_true', help='work on Ray')
    parser.add_argument('--ray-workers', type=whole_number(), default=2)
    parser.add_argument('--ray-gpus', type=number(), default=0.0, help='GPUs per worker, also 0.5')
    parser.add_argument('--ray-address', help='a running cluster, e.g. auto')
    return parser.parse_args()


def pack(folder: Path, out: Path, dtype: str) -> None:
    """Pack the features of a folder into one file, and say so."""
    from vtg.datasets.stores import pack_features

    result = pack_features(folder, out, dtype=dtype, force=True, keep_names=True)
    print(f'{out}: packed {result.arrays} arrays, {result.rows} rows; the files in {folder} are')
    print('what an extraction goes on from, delete them when it is complete.')


def main() -> int:
    args = parse_args()
    from vtg.datasets import read_queries
    from vtg.datasets.stores.packing import check_names_kept
    from vtg.engine.config import parse_options
    from vtg.extraction import (
        RayOptions,
        check_kind,
        extract_texts,
        extract_videos,
        find_videos,
        keep_settings,
    )
    from vtg.extraction.encoders.names import encoder_config
    from vtg.utils import ConfigError, check_clip_length

    if not args.videos and not args.text:
        raise ConfigError('nothing to do: give videos, or queries with --text.')
    out = Path(args.out)
    options = {'device': args.device, **parse_options(args.encoder_options)}
    encoder = encoder_config(f'{args.backbone}={args.weights}', **options)
    ray = None
    if args.ray:
        ray = RayOptions(args.ray_workers, args.ray_gpus, address=args.ray_address)
    common = {
        'encoder': encoder, 'dtype': args.dtype, 'ray': ray,
        'on_start': progress_bar,
    }  # fmt: skip
    reports = {}
    settings = {**encoder, 'dtype': args.dtype}
    packed, inputs = args.format == 'packed', [*args.videos, args.text]
    places = {
        kind: check_kind(out, kind, inputs, packed)
        for kind, wanted in (('video', args.videos), ('text', args.text))
        if wanted
    }
    # Read first: a mistake in the queries is not found after hours of videos.
    records = read_queries(args.text) if args.text else []
    if args.videos:
        videos = find_videos(args.videos)
        folder, result = places['video']
        check_names_kept(result, [*videos, *(path.stem for path in folder.glob('*.npz'))])
        own = {**settings, 'clip_length': check_clip_length(args.clip_len, '--clip-len')}
        keep_settings(out / 'video.json', own, places['video'])
        reports['video'] = extract_videos(
            videos, folder=folder, clip_length=args.clip_len, threads=args.jobs, **common
        )
    if args.text:
        folder, _ = places['text']
        own = {**settings, 'pattern': args.text_pattern}
        keep_settings(out / 'text.json', own, places['text'])
        reports['text'] = extract_texts(records, folder=folder, pattern=args.text_pattern, **common)
    for kind, report in reports.items():
        folder, result = places[kind]
        print(f'\n{folder}: {report.summary()}')
        print(''.join(f'  {printable(problem)}\n' for problem in report.problems.values()), end='')
        if packed and (report.written or report.skipped):
            pack(folder, result, args.dtype)
    return int(any(report.problems for report in reports.values()))


if __name__ == '__main__':
    run_main(main, 'finished files are kept, the same command goes on')
