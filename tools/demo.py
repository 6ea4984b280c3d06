#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Find the moments of your own video that match a sentence."""

import argparse
from pathlib import Path

from vtg.apis.command_line import ArgumentParser, whole_number
from vtg.utils import printable, run_main


def parse_args() -> argparse.Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument(
        'checkpoint', help='weights that fit the config; none for a model with nothing to learn'
    )
    parser.add_argument('video', help='video file, or its features (.npz, .npy, .pt)')
    parser.add_argument('query', nargs='+', help='one or several sentences, each in quotes')
    parser.add_argument(
        '--encoder', action='append', default=[], metavar='NAME=WEIGHTS',
        help='one per video feature of the config, in its order: clip, blip2, torchscript',
    )  # fmt: skip
    parser.add_argument(
        '--text-encoder', action='append', metavar='NAME=WEIGHTS',
        help='one per text feature (default: the encoders that encode text)',
    )  # fmt: skip
    parser.add_argument(
        '--text-features', nargs='+', metavar='FILE', help='features of the queries instead'
    )
    parser.add_argument(
        '--top', type=whole_number(), default=5, help='different moments to print (5)'
    )
    parser.add_argument('--json', metavar='FILE', help='write everything as JSON')
    parser.add_argument('--device', help='cuda, cpu (default: a GPU where there is one)')
    parser.add_amp()
    parser.add_threads()
    parser.add_overrides()
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from vtg.apis.inference import Inferencer
    from vtg.datasets import read_feature_file
    from vtg.engine import load_config
    from vtg.extraction.encoders.names import encoder_config
    from vtg.utils import check_output, check_replaceable, read_json, write_json

    def holds_results(path: Path) -> bool:
        return all('moments' in result for result in read_json(path) or [{}])

    if args.json:
        inputs = [args.video, args.config, args.checkpoint, *(args.text_features or ())]
        check_output(args.json, inputs)
        check_replaceable(args.json, holds_results, 'a result of this tool')
    encoders = [encoder_config(text, device=args.device) for text in args.encoder]
    texts = args.text_encoder
    inferencer = Inferencer(
        load_config(args.config, args.cfg_options),
        args.checkpoint,
        device=args.device,
        encoders=encoders,
        text_encoders=texts and [encoder_config(text, device=args.device) for text in texts],
        amp=args.amp,
    )
    features = args.text_features and [read_feature_file(path) for path in args.text_features]
    results = inferencer(args.video, args.query, features)
    for result in results:
        print(f'{printable(result.query)} ({result.duration:.1f} s)')
        if result.answered is False:
            print(f'  no moment (probability of one {result.existence:.2f})')
            continue
        for start, end, score in result.distinct()[: args.top]:
            print(f'  {start:7.1f} - {end:7.1f} s   {score:.3f}')
        if result.saliency:
            best = max(range(len(result.saliency)), key=result.saliency.__getitem__)
            print(f'  highlight at {best * result.clip_length:.1f} s')
    if args.json:
        write_json(args.json, [result.to_dict() for result in results])
        print(f'written: {args.json}')


if __name__ == '__main__':
    run_main(main)
