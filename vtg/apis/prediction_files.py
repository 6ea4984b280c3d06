# SPDX-License-Identifier: Apache-2.0
"""Which prediction files belong to which system, by what was given: files, names, run folders."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vtg.utils import ConfigError, read_json

_PREDICTIONS = re.compile(r'.*(pred|submission).*\.jsonl?(\.gz)?', re.IGNORECASE)
_ENDINGS = re.compile(r'(_(val|test))?(_(preds?|predictions|submission))?$')


@dataclass(frozen=True)
class Source:
    """A system: its name and the prediction files of its runs."""

    name: str
    files: tuple[Path, ...]


def sources_of(texts: Sequence[str], split: str = 'val') -> list[Source]:
    """Understand what was given for systems.

    Args:
        texts: ``PATH``, ``NAME=PATH`` or several paths with commas between, the runs of one system.
            A folder stands for the prediction files in it: those whose reports name one config are
            the runs of one system.
        split: Of folders with files of both splits.

    Raises:
        ConfigError: A folder has no prediction file, or a path does not exist.
    """
    found: list[Source] = []
    for text in texts:
        name, equals, paths = text.partition('=')
        if not equals or Path(text).exists():
            name, paths = '', text
        places = [Path(text)] if Path(text).exists() else [Path(p) for p in paths.split(',')]
        for place in places:
            if not place.exists():
                raise ConfigError(f'{place} does not exist; give prediction files or run folders.')
        if len(places) == 1 and places[0].is_dir():
            grouped = _runs_in(places[0], split)
            for label, files in grouped.items():
                own = f'{name}: {label}' if name and len(grouped) > 1 else name or label
                found.append(Source(own, tuple(files)))
            continue
        files = [file for place in places for file in _files_of(place, split)]
        found.append(Source(name or _name_of(files[0]), tuple(files)))
    return _distinct(found)


def _files_of(place: Path, split: str) -> list[Path]:
    return [place] if place.is_file() else [f for fs in _runs_in(place, split).values() for f in fs]


def _runs_in(folder: Path, split: str) -> dict[str, list[Path]]:
    """Prediction files below a folder by the config that their reports name."""
    files = [f for f in sorted(folder.rglob('*')) if f.is_file() and _PREDICTIONS.fullmatch(f.name)]
    other = 'test' if split == 'val' else 'val'
    files = [file for file in files if not re.search(rf'(^|_){other}(_|\.)', file.name)]
    if not files:
        raise ConfigError(
            f'{folder} has no prediction file of {split} (a .jsonl with "pred" or "submission" in '
            'its name); tools/test.py --html writes one.'
        )
    runs: dict[str, list[Path]] = {}
    for file in files:
        report = file.parent / f'report_{split}.json'
        config = ''
        if report.is_file():
            facts = read_json(report)
            facts = facts.get('facts') if isinstance(facts, dict) else None
            config = str(facts.get('config') or '') if isinstance(facts, dict) else ''
        label = '/'.join(Path(config).with_suffix('').parts[-2:]) if config else folder.name
        runs.setdefault(label, []).append(file)
    return runs


def _name_of(file: Path) -> str:
    stem = re.sub(r'\.jsonl?(\.gz)?$', '', file.name)
    return _ENDINGS.sub('', stem) or stem


def _distinct(sources: list[Source]) -> list[Source]:
    """Names that two systems share get a number."""
    seen: dict[str, int] = {}
    made = []
    for source in sources:
        seen[source.name] = seen.get(source.name, 0) + 1
        count = seen[source.name]
        name = source.name if count == 1 else f'{source.name} ({count})'
        made.append(Source(name, source.files))
    return made
