#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Extract features of videos and queries; interrupted work goes on where it stopped."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vtg.apis.command_line import ArgumentParser, number, seconds, whole_number
from vtg.utils import printable, progress_bar, run_main

if TYPE_CHECKING:
    from vtg.extraction.job import Job


def parse_args() -> argparse.Namespace:
    parser = ArgumentParser(description=__doc__, fromfile_prefix_chars='@')
    parser.add_argument(
        'videos', nargs='*', help='video files or folders; @FILE reads them from a file, one a line'
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        '--features', metavar='RECIPE', help='a published feature set: '
        'qvhighlights_slowfast_clip, internvideo2_1b, clap, ... (--features list)',
    )  # fmt: skip
    what.add_argument(
        '--backbone',
        help='one encoder: clip, siglip, blip2, slowfast, internvideo2, panns, clap, torchscript '
        '(any exported program), concept (no download; objects and places), or a registered one',
    )  # fmt: skip
    parser.add_argument(
        '--weights', action='append', default=[], metavar='[NAME=]WEIGHTS',
        help='folder, file or hub name; of --features NAME=WEIGHTS, or a folder that holds them '
        'by these names; concept has none',
    )  # fmt: skip
    parser.add_argument(
        '--join', action='store_true', help='all video features of --features in one array'
    )
    parser.add_argument('--out', help='gets a folder per kind of features')
    parser.add_argument('--clip-len', type=seconds, help='seconds per clip (2, or as published)')
    parser.add_argument(
        '--format', choices=('npz', 'packed'), help='npz, or the one that is published'
    )
    parser.add_argument(
        '--dtype', choices=('float16', 'float32'), help='float32, or the one that is published'
    )
    parser.add_argument(
        '--text', metavar='FILE', help='annotation (.jsonl) whose queries to encode'
    )
    parser.add_argument('--text-pattern', help='names of text files (qid{qid}, or as published)')
    parser.add_argument(
        '--compare', metavar='FOLDER', help='say how near the features in --out are to published '
        'ones: a folder with those of one kind, or with the folders of a recipe',
    )  # fmt: skip
    parser.add_argument('--jobs', type=whole_number(), default=1, help='videos decoded at a time')
    parser.add_argument('--device', help='cuda, cuda:1, cpu (default: a GPU where there is one)')
    parser.add_argument(
        '--amp', choices=('bf16', 'fp16'), help='models in half precision; fp16 on a GPU'
    )
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


def make_job(args: argparse.Namespace) -> 'Job':
    """What is asked for.

    Raises:
        ConfigError: Weights or options are missing or do not fit.
    """
    from dataclasses import replace

    from vtg.engine.config import parse_options
    from vtg.extraction import RayOptions
    from vtg.extraction.encoders.names import encoder_config
    from vtg.extraction.job import Job, joined, plain
    from vtg.extraction.recipes import find_recipe, locate_weights
    from vtg.utils import ConfigError, check_clip_length

    options = {'device': args.device, 'amp': args.amp, **parse_options(args.encoder_options)}
    given = {key: value for key, value in options.items() if value is not None}
    if args.features:
        recipe = find_recipe(args.features)
        computed = bool(args.videos or args.text)
        weights = locate_weights(recipe, args.features, args.weights) if computed else {}
        recipe = joined(recipe) if args.join else recipe
        if args.text_pattern:
            texts = (replace(part, pattern=args.text_pattern) for part in recipe.text)
            recipe = replace(recipe, text=tuple(texts))
    else:
        if len(args.weights) > 1 or args.join:
            raise ConfigError('--backbone takes one --weights and no --join; use --features.')
        encoder = encoder_config(f'{args.backbone}={"".join(args.weights)}', **given)
        recipe, weights, given = plain(encoder, 2.0, args.text_pattern or 'qid{qid}'), {}, {}
    if args.clip_len is not None:
        length = check_clip_length(args.clip_len, '--clip-len')
        recipe = replace(recipe, clip_length=length)
    ray = RayOptions(args.ray_workers, args.ray_gpus, address=args.ray_address)
    return Job(
        recipe, weights, Path(args.out), given, args.dtype, args.format == 'packed', args.jobs,
        ray if args.ray else None,
    )  # fmt: skip


def list_recipes() -> None:
    """Print the recipes with what they need."""
    from vtg.extraction.recipes import RECIPES

    for name, recipe in RECIPES.items():
        parts = [f'{part.folder} ({part.dim})' for _, part in recipe.streams()]
        needs = ', '.join(recipe.needs()) or 'none'
        print(f'{name}: {", ".join(parts)}; {recipe.clip_length:.3g} s per clip; weights: {needs}')
        print(f'    like those of {recipe.origin}')


def main() -> int:
    args = parse_args()
    if args.features == 'list':
        list_recipes()
        return 0
    from vtg.datasets import read_queries
    from vtg.extraction.compare import compare_features
    from vtg.utils import ConfigError

    if not args.out:
        raise ConfigError('--out is missing; name the folder of the features.')
    if not args.videos and not args.text and not args.compare:
        raise ConfigError('nothing to do: give videos, queries with --text, or --compare.')
    job = make_job(args)
    # Read first: a mistake in the queries is not found after hours of videos.
    records = read_queries(args.text) if args.text else []
    reports = job.run(args.videos, records, args.text, progress_bar)
    for kind, part in job.parts(bool(args.videos), bool(records)):
        report, result = reports[part.folder], job.out / part.folder
        folder = result.with_name(f'{result.name}.parts') if job.packed else result
        print(f'\n{folder}: {report.summary()}')
        speed = report.throughput() if kind != 'text' else ''
        print(f'  {speed}\n' if speed else '', end='')
        print(''.join(f'  {printable(problem)}\n' for problem in report.problems.values()), end='')
        if job.packed and (report.written or report.skipped):
            pack(folder, result, args.dtype or part.dtype)
    if args.videos and (names := job.different_rows(reports)):
        print(
            f'{len(names)} videos, such as {printable(names[0])}, have different numbers of rows; '
            'they are cut to the shortest when they are read.'
        )
    failed = any(report.problems for report in reports.values())
    if args.compare:
        texts = not args.videos or bool(args.text)
        folders = [part.folder for _, part in job.parts(True, texts)]
        comparison = compare_features(job.out, folders, args.compare)
        print(f'\n{comparison.text()}')
        failed = failed or not comparison.near
    return int(failed)


if __name__ == '__main__':
    run_main(main, 'finished files are kept, the same command goes on')
