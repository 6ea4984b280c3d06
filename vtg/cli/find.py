# SPDX-License-Identifier: Apache-2.0
"""Find the moments that sentences describe, in videos or in an index of many."""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vtg.apis.command_line import ArgumentParser, whole_number
from vtg.utils import (
    ConfigError,
    check_output,
    check_replaceable,
    find_config,
    has_words,
    printable,
    read_text,
    write_json,
    write_text,
)

from .index import video_files
from .options import (
    DEFAULT_CLIP,
    add_encoder,
    add_weights,
    check_weights,
    check_writable,
    encoder_configs,
    lasting,
    note_offline,
    say,
)

if TYPE_CHECKING:
    from vtg.search import Answer, EncodedFile

# What a file begins with that an earlier run has written.
_BEGINS = {
    'json': ('[', '"moments"'), 'srt': ('1\n', '-->'), 'vtt': ('WEBVTT', ''),
    'edl': ('TITLE: vtg find', ''), 'html': ('<!', 'vtg'),
}  # fmt: skip


def parse_args() -> argparse.Namespace:
    """Read the command line; what belongs together stands together in its help."""
    parser = ArgumentParser(
        description=__doc__,
        epilog='Relevance is the place of a score between the lowest and the highest clip of all '
        'that was searched: 1 is the best there is, not a promise that it fits.',
    )
    parser.add_argument(
        'words', nargs='+', metavar='VIDEO|SENTENCE',
        help='video files or folders, then sentences, each in quotes; with --index sentences only',
    )  # fmt: skip
    parser.add_argument('--index', metavar='INDEX', help='search the videos of vtg index')
    parser.add_argument(
        '--model', metavar='MODEL',
        help='a trained model in place of similarity alone: a published one (folder or hub name), '
        'the folder of a run, or a config with --checkpoint; the last two with --encoder',
    )  # fmt: skip
    parser.add_argument('--checkpoint', help='weights of --model CONFIG')
    add_weights(parser)
    add_encoder(parser)
    parser.add_argument('--top', type=whole_number(), default=5, help='moments per sentence (5)')
    parser.add_argument('--json', metavar='FILE', help='everything, with the scores of all clips')
    parser.add_argument('--srt', metavar='FILE', help='SubRip subtitles; of several videos each')
    parser.add_argument('--vtt', metavar='FILE', help='WebVTT subtitles; of several videos each')
    parser.add_argument('--edl', metavar='FILE', help='edit decision list (CMX 3600)')
    parser.add_argument('--html', metavar='FILE', help='page with timelines and the videos')
    parser.add_argument(
        '--cut', metavar='DIR', help='the moments as videos, not encoded again: they begin with '
        'the key frame before',
    )  # fmt: skip
    parser.add_threads()
    return parser.parse_args()


def split_words(words: Sequence[str], index: bool) -> tuple[list[str], list[str]]:
    """Tell videos from sentences: a video is a file or folder, or has the suffix of one.

    Raises:
        ConfigError: There is none of either, or a sentence has no words.
    """
    from vtg.extraction.files import SUFFIXES

    def is_video(word: str) -> bool:
        try:
            there = Path(word).exists()
        except OSError:  # a sentence too long for the name of a file
            there = False
        return not index and (there or Path(word).suffix.lower() in SUFFIXES)

    videos = [word for word in words if is_video(word)]
    sentences = [word for word in words if not is_video(word)]
    if not videos and not index:
        raise ConfigError(
            f'{printable(words[0])[:200]!r} is no video; give at least one video file or folder '
            'that exists, or --index.'
        )
    if not sentences:
        raise ConfigError('no sentence is given; write what to look for behind the videos.')
    if not all(map(has_words, sentences)):
        raise ConfigError('a sentence has no words; write what to look for.')
    return videos, sentences


def written_here(kind: str, path: Path) -> bool:
    """Whether a file looks like one that an earlier run has written."""
    text, (begin, inside) = read_text(path), _BEGINS[kind]
    return text.startswith(begin) and inside in text


def check_results(kind: str, path: Path, videos: Sequence[Path]) -> None:
    """Check that nothing else lies where results of a kind will.

    Raises:
        ConfigError: Something does.
    """
    from vtg.search.results import subtitle_files

    places = [path]
    if kind in ('srt', 'vtt') and videos:
        places = list(subtitle_files(path, videos).values())
    for place in places:
        check_replaceable(place, partial(written_here, kind), 'a result of vtg find')


def main() -> int:
    """Run the command."""
    args = parse_args()
    videos, sentences = split_words(args.words, args.index is not None)
    if args.checkpoint and not args.model:
        raise ConfigError('--checkpoint belongs to --model CONFIG; give both.')
    check_weights(args)
    outputs = {kind: Path(getattr(args, kind)) for kind in _BEGINS if getattr(args, kind)}
    files = video_files(videos)
    if len({path.resolve() for path in outputs.values()}) < len(outputs):
        raise ConfigError('two kinds of results go to the same file; give each a file of its own.')
    for kind, path in outputs.items():
        check_output(path, files)
        check_writable(path)
        check_results(kind, path, files)
    if args.cut:
        check_output(args.cut, files)
        check_writable(Path(args.cut) / 'x')
    from vtg.extraction import probe
    from vtg.search.encoding import check_length
    from vtg.search.exports import listing

    for file in files:  # of all, before the first is encoded
        check_length(file, probe(file).duration, args.max_minutes)
    answers = search(args, files, sentences)

    print(listing(answers, args.top))
    for path in export(args, outputs, answers):
        print(f'written: {path}')
    return 0


def search(
    args: argparse.Namespace, files: Sequence[Path], sentences: Sequence[str]
) -> list['Answer']:
    """Encode what is not encoded yet and answer."""
    from vtg.search import FileEncoder, TrainedSearcher, ZeroShotSearcher

    configs, length, found = encoders_and_index(args)
    note_offline(configs)
    if args.model:
        inferencer = trained_model(args.model, args.checkpoint, configs, args.device, args.weights)
        return TrainedSearcher(inferencer)(found or [str(file) for file in files], sentences)
    if len(configs) > 1:
        raise ConfigError('similarity alone takes one encoder; give --encoder once.')
    encoder = FileEncoder(configs[0], length, args.max_minutes)
    for number, file in enumerate(files if not found else (), start=1):
        if len(files) > 1 or sys.stderr.isatty():
            say(f'[{number}/{len(files)}] {printable(file.name)}')
        found.append(encoder(file))
    return ZeroShotSearcher(encoder.encoder, length)(found, sentences)


def encoders_and_index(
    args: argparse.Namespace,
) -> tuple[list[dict[str, Any]], float, list['EncodedFile']]:
    """The encoders that are asked for, the clip length, and the videos of ``--index``.

    Raises:
        ConfigError: The index cannot be used.
    """
    if not args.index:
        # A published model brings its own.
        configs = encoder_configs(args) if args.encoder or not args.model else []
        return configs, args.clip_len or DEFAULT_CLIP, []
    from vtg.search import VideoIndex

    named = [lasting(config) for config in encoder_configs(args)] if args.encoder else []
    index = VideoIndex(args.index, named[0] if named else None)
    if args.clip_len or named not in ([], [index.encoder]):
        raise ConfigError('--index brings encoder and clip length; leave the options away.')
    found, changed = index.read()
    if changed:
        say(
            f'note: {len(changed)} videos, such as {printable(changed[0])}, were changed or '
            'removed since; they are left out, run vtg index again.'
        )
    if not found:
        raise ConfigError(f'{args.index} holds no video; fill it with vtg index FOLDER --out.')
    return [{**index.encoder, 'device': args.device}], index.clip_length, found


def trained_model(
    name: str,
    checkpoint: str | None,
    encoders: list[dict[str, Any]],
    device: str | None,
    weights: Sequence[str] = (),
) -> Any:
    """The model of ``--model``.

    Args:
        name: A published model, the folder of a run, or a config.
        checkpoint: Of a config.
        encoders: What replaces those that a published model names; needed for the others.
        device: Where it computes.
        weights: Of the encoders of its recipe, where no encoders are given.

    Raises:
        ConfigError: There is no such model, or something of it is missing.
    """
    from vtg.apis.encoding import recipe_encoders, recipe_of
    from vtg.apis.inference import Inferencer
    from vtg.engine import load_config

    place = Path(name)
    config = find_config(place)
    runs = sorted(place.glob('*.py')) if place.is_dir() else []
    if runs:
        saved = sorted(place.glob('best_*.pth')) or sorted(
            place.glob('epoch_*.pth'), key=lambda path: path.stat().st_mtime
        )
        if not saved and not checkpoint:
            raise ConfigError(f'{place} holds no checkpoint (.pth) of a run; give --checkpoint.')
        config, checkpoint = runs[0], checkpoint or str(saved[-1])
    elif not config.is_file():
        return Inferencer.from_pretrained(
            name, encoders, device=device, weights=None if encoders else weights
        )
    cfg, parts = load_config(config), dict[str, Any](encoders=encoders)
    if not encoders:
        parts = recipe_encoders(recipe_of(cfg), weights, device)
    return Inferencer(cfg, checkpoint, device=device, **parts)


def export(
    args: argparse.Namespace, outputs: dict[str, Path], answers: Sequence['Answer']
) -> list[Path]:
    """Write what was asked for; returns the files."""
    from vtg.search import exports
    from vtg.search.results import cut_moments, write_subtitles

    written: list[Path] = []
    for kind, path in outputs.items():
        if kind == 'json':
            write_json(path, [answer.to_dict(args.top) for answer in answers])
        elif kind == 'edl':
            write_text(path, exports.edl(answers, args.top))
        elif kind == 'html':
            from vtg.search.page import write

            write(path, answers, args.top)
        else:
            check_results(kind, path, answers[0].files)
            written += write_subtitles(getattr(exports, kind), path, answers, args.top)
            continue
        written.append(path)
    if args.cut:
        written += cut_moments(Path(args.cut), answers, args.top)
    return written
