# SPDX-License-Identifier: Apache-2.0
"""Options that ``vtg find`` and ``vtg index`` share."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vtg.apis.command_line import ArgumentParser, number, seconds
from vtg.utils import ConfigError
from vtg.utils.outputs import check_place

OFFLINE_NOTE = (
    'note: the offline encoder finds objects and places, not actions; --encoder clip=FOLDER or '
    'siglip=FOLDER know more.'
)
DEFAULT_CLIP = 2.0
LONGEST = 60.0


def add_encoder(parser: ArgumentParser) -> None:
    """Add ``--encoder``, ``--clip-len``, ``--max-minutes`` and ``--device``."""
    parser.add_argument(
        '--encoder', action='append', metavar='NAME[=WEIGHTS]',
        help='concept (default: no download; finds objects and places, not actions), '
        'clip=FOLDER_OR_HUB_NAME or siglip=FOLDER_OR_HUB_NAME',
    )  # fmt: skip
    parser.add_argument(
        '--clip-len', type=seconds, metavar='SECONDS', help=f'seconds per clip ({DEFAULT_CLIP:g})'
    )
    parser.add_argument(
        '--max-minutes', type=number(), default=LONGEST, metavar='N',
        help=f'longer videos are refused ({LONGEST:g})',
    )  # fmt: skip
    parser.add_argument('--device', help='cuda, cpu (default: a GPU where there is one)')


def add_weights(parser: ArgumentParser) -> None:
    """Add ``--weights``."""
    parser.add_argument(
        '--weights', action='append', default=[], metavar='NAME=PATH',
        help='with --model: weights of the encoders of its features, or a folder that holds them '
        'by these names, in place of --encoder',
    )  # fmt: skip


def check_weights(args: Namespace) -> None:
    """Refuse ``--weights`` that nothing would read.

    Raises:
        ConfigError: There is no model, or its encoders are given.
    """
    if args.weights and (args.encoder or not args.model):
        raise ConfigError('--weights belongs to --model, without --encoder.')


def encoder_configs(args: Namespace) -> list[dict[str, Any]]:
    """The configs of ``--encoder``; ``concept`` where none is given."""
    from vtg.extraction.encoders.names import encoder_config

    return [encoder_config(text, device=args.device) for text in args.encoder or ['concept']]


def lasting(config: dict[str, Any]) -> dict[str, Any]:
    """The config of an encoder as an index keeps it: where it is computed is no property of it."""
    return {key: value for key, value in config.items() if key not in ('device', 'batch_size')}


def say(text: str) -> None:
    """Tell how far it is, beside the output."""
    print(text, file=sys.stderr, flush=True)


def note_offline(configs: Sequence[dict[str, Any]]) -> None:
    """Say what the offline encoder is good for, where it is used."""
    if any(config['type'] == 'ConceptEncoder' for config in configs):
        say(OFFLINE_NOTE)


def check_writable(path: Path) -> None:
    """Find out before the work whether a file can be written.

    Raises:
        ConfigError: It cannot; nothing was made.
    """
    if path.is_dir():
        raise ConfigError(f'{path} is a folder; give the path of a file.')
    check_place(path)
