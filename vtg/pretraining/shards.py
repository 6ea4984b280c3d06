# SPDX-License-Identifier: Apache-2.0
"""Resumable work on a corpus: one file of annotations per shard, joined when all are there.

OUT/settings.json          what it was made with; other settings are refused
OUT/shards/00000.jsonl     records of the first videos, written when all of them are done
OUT/shards/00000.json      their statistics and problems
OUT/annotations.jsonl      all shards in order: the annotation file for training
OUT/statistics.json
"""

import hashlib
import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vtg.extraction.executor import RayOptions, Worker, run_work
from vtg.extraction.files import keep_settings
from vtg.extraction.pipeline import OnStart, silent
from vtg.utils import (
    ConfigError,
    DataError,
    Record,
    read_json,
    read_jsonl,
    remove_leftovers,
    write_json,
    write_jsonl,
)

# What a job writes into its folder; `video` and `text` hold the features of InterVid-MR.
OUTPUTS = ('annotations.jsonl', 'statistics.json', 'shards', 'video', 'text')


class Statistics:
    """Counts in named groups, e.g. ``statistics.count('grades', 4)``."""

    def __init__(self, groups: Mapping[str, Mapping[str, int]] | None = None) -> None:
        self.groups = {name: Counter(counts) for name, counts in (groups or {}).items()}

    def count(self, group: str, key: object, number: int = 1) -> None:
        """Add ``number`` to ``key`` of ``group``."""
        self.groups.setdefault(group, Counter())[str(key)] += int(number)

    def add(self, other: 'Statistics') -> None:
        """Add the counts of another part."""
        for name, counts in other.groups.items():
            self.groups.setdefault(name, Counter()).update(counts)

    def plain(self) -> dict[str, dict[str, int]]:
        """As nested dicts, sorted; keys that are numbers by their value."""

        def order(key: str) -> tuple[bool, float, str]:
            number = key.replace('.', '', 1).isdigit()
            return not number, float(key) if number else 0.0, key

        return {
            name: {key: counts[key] for key in sorted(counts, key=order)}
            for name, counts in sorted(self.groups.items())
        }


class ShardWorker(ABC):
    """A worker that turns the videos of a shard into one file; see :func:`run_shards`.

    Args:
        folder: The folder of the job.
    """

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    @abstractmethod
    def records(self, unit: Any, statistics: Statistics) -> list[Record]:
        """Return the records of one video and count what happened.

        Raises:
            DataError: The video cannot be used; the others go on.
        """

    def __call__(self, items: Sequence[tuple[int, Sequence[Any]]]) -> Iterator[int]:
        """Take ``(number of the shard, its units)`` and yield the number of units."""
        for number, units in items:
            statistics, records, problems = Statistics(), [], []
            for unit in units:
                try:
                    records += self.records(unit, statistics)
                except DataError as error:
                    statistics.count('videos', 'failed')
                    problems.append(str(error))
                else:
                    statistics.count('videos', 'used')
            summary = {'statistics': statistics.plain(), 'problems': problems}
            # The records come last: their presence says that the shard is complete.
            write_json(_shard(self.folder, number, '.json'), summary)
            write_jsonl(_shard(self.folder, number, '.jsonl'), records)
            yield len(units)


def _shard(folder: Path, number: int, suffix: str) -> Path:
    return folder / 'shards' / f'{number:05d}{suffix}'


def run_shards(
    make_worker: Callable[[], Worker],
    units: Sequence[Any],
    folder: str | Path,
    settings: Mapping[str, Any],
    shard_size: int = 16,
    ray: RayOptions | None = None,
    on_start: OnStart = silent,
    statistics: Statistics | None = None,
) -> dict[str, Any]:
    """Work through all units shard by shard, leave out what is complete, and join the shards.

    Args:
        make_worker: Builds a :class:`ShardWorker`.
        units: What to work on, JSON-like, in a fixed order.
        folder: Where everything goes.
        settings: What the result depends on; a folder that was made with others is refused.
        shard_size: Units per shard; at most these are repeated after an interruption.
        ray: Work on Ray; the result is the same.
        on_start: Called with the number of units to do; returns what is called after each.
        statistics: Counts of earlier stages, joined with those of the shards.

    Returns:
        ``{'statistics': ..., 'problems': [...]}``, as in ``statistics.json``; where every unit
        failed no file of the work stays.
    """
    folder = Path(folder)
    inputs = hashlib.sha256(json.dumps(list(units)).encode()).hexdigest()[:16]
    if shard_size < 1:
        raise ConfigError(f'{shard_size} videos per shard are none; use at least 1 (--shard-size).')
    keep_settings(
        folder / 'settings.json',
        {**settings, 'shard_size': shard_size, 'inputs': inputs},
        [folder / name for name in OUTPUTS],
    )
    for name in ('', 'shards', 'video', 'text'):
        remove_leftovers(folder / name, r'.+\.(?:jsonl?|npz)')
    shards = [
        (number, list(units[start : start + shard_size]))
        for number, start in enumerate(range(0, len(units), shard_size))
    ]
    todo = [item for item in shards if not _shard(folder, item[0], '.jsonl').is_file()]
    step = on_start(sum(len(part) for _, part in todo))
    for done in run_work(make_worker, todo, ray):
        for _ in range(done):
            step()
    return _join(folder, len(shards), statistics or Statistics())


def _join(folder: Path, count: int, statistics: Statistics) -> dict[str, Any]:
    problems: list[str] = []
    total = 0

    def every_record() -> Iterator[Record]:
        nonlocal total
        for number in range(count):
            for record in read_jsonl(_shard(folder, number, '.jsonl')):
                total += 1
                yield record

    write_jsonl(folder / 'annotations.jsonl', every_record())
    for number in range(count):
        summary = read_json(_shard(folder, number, '.json'))
        statistics.add(Statistics(summary['statistics']))
        problems += summary['problems']
    statistics.count('samples', 'written', total)
    result = {'statistics': statistics.plain(), 'problems': problems}
    write_json(folder / 'statistics.json', result)
    if problems and not total:
        # Nothing was made, so nothing is kept that would stand in the way of another try.
        for number in range(count):
            for suffix in ('.json', '.jsonl'):
                _shard(folder, number, suffix).unlink()
        for name in ('annotations.jsonl', 'statistics.json'):
            (folder / name).unlink()
    return result
