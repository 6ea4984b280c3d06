# SPDX-License-Identifier: Apache-2.0
"""Encode videos once, so that `vtg find --index` answers at once."""

import argparse
from pathlib import Path

from vtg.apis.command_line import ArgumentParser
from vtg.utils import printable

from .options import (
    DEFAULT_CLIP,
    add_encoder,
    check_writable,
    encoder_configs,
    lasting,
    note_offline,
    say,
)


def parse_args() -> argparse.Namespace:
    parser = ArgumentParser(
        description=__doc__,
        epilog='The same command again encodes only what is new or was changed; after a stop it '
        'goes on. A video is stored once per content of its file.',
    )
    parser.add_argument('videos', nargs='+', help='folders, with all videos below, or video files')
    parser.add_argument('--out', required=True, metavar='INDEX', help='folder of the index')
    add_encoder(parser)
    return parser.parse_args()


def video_files(places: list[str]) -> list[Path]:
    """The videos of files and folders, each once; what does not exist stays, to be named."""
    from vtg.extraction.files import SUFFIXES
    from vtg.utils import ConfigError

    found: dict[Path, None] = {}
    for place in map(Path, places):
        files = [place]
        if place.is_dir():
            files = sorted(file for file in place.rglob('*') if file.suffix.lower() in SUFFIXES)
            if not files:
                raise ConfigError(f'{place} holds no video ({", ".join(SUFFIXES)}).')
        found.update(dict.fromkeys(files))
    return list(found)


def main() -> int:
    """Run the command."""
    args = parse_args()
    from vtg.search import FileEncoder, VideoIndex
    from vtg.utils import ConfigError

    configs = encoder_configs(args)
    if len(configs) > 1:
        raise ConfigError('an index has one encoder; give --encoder once.')
    files = video_files(args.videos)
    check_writable(Path(args.out) / 'settings.json')
    index = VideoIndex.create(args.out, lasting(configs[0]), args.clip_len or DEFAULT_CLIP)

    def encoder() -> FileEncoder:
        note_offline(configs)
        return FileEncoder(configs[0], index.clip_length, args.max_minutes)

    done = {'count': 0}

    def tell(path: Path, what: str) -> None:
        done['count'] += 1
        say(f'[{done["count"]}/{len(files)}] {printable(path.name)}: {printable(what)}')

    problems = index.add(files, encoder, tell)
    print(f'{args.out}: {len(index)} videos, {len(problems)} of {len(files)} could not be encoded')
    for problem in problems.values():
        print(f'  {printable(problem)}')
    return int(bool(problems))
