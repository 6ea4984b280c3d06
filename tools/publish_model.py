#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write a trained model as a folder that others load, and upload it."""

import argparse

from vtg.apis.command_line import ArgumentParser
from vtg.utils import run_main


def parse_args() -> argparse.Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config of the model, e.g. the one in its run folder')
    parser.add_argument('checkpoint', help='weights that fit the config')
    parser.add_argument('out', help='folder to make')
    parser.add_argument('--name', help='title of the model card (the name of the folder)')
    parser.add_argument(
        '--encoder', action='append', default=[], metavar='NAME=WEIGHTS',
        help='one per video feature of the config, in its order; used for own videos',
    )  # fmt: skip
    parser.add_argument(
        '--text-encoder', action='append', metavar='NAME=WEIGHTS',
        help='one per text feature (default: the encoders that encode text)',
    )  # fmt: skip
    parser.add_argument(
        '--features', metavar='RECIPE', help='how the features are made (default: the recipe of '
        'extract_features.py that belongs to the config)',
    )  # fmt: skip
    parser.add_argument(
        '--report', metavar='FILE', help='report_*.json of tools/test.py (those of the checkpoint)'
    )
    parser.add_argument('--push', metavar='USER/MODEL', help='upload to the Hugging Face hub too')
    parser.add_argument('--private', action='store_true', help='with --push: for the owner only')
    parser.add_overrides()
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from vtg.apis.publishing import publish_model, push_model
    from vtg.engine import load_config

    folder = publish_model(
        load_config(args.config, args.cfg_options), args.checkpoint, args.out, args.encoder,
        args.text_encoder, args.report, args.name, args.features,
    )  # fmt: skip
    print(f'written: {folder}')
    if args.push:
        print(f'uploaded: {push_model(folder, args.push, args.private)}')


if __name__ == '__main__':
    run_main(main)
