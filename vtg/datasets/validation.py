# SPDX-License-Identifier: Apache-2.0
"""Everything that is wrong with a dataset at once, and a summary of what it holds.

Loading a dataset stops at the first problem; this goes through all lines and all feature files.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vtg.utils import DataError, Record, printable

from .annotations import Line, find_annotations
from .grounding import GroundingDataset
from .stores import FeatureStore
from .survey import survey
from .validation_summary import describe_features, describe_records

OnStart = Callable[[int], Callable[[], object]]


@dataclass(frozen=True)
class Problem:
    """What is wrong, in which file unless the text names it, and in which line of it."""

    text: str
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f'{self.file}:{self.line}'
        return self.text if place is None else f'{place}: {self.text}'


class Stored(NamedTuple):
    """What is known of one array of features."""

    rows: int
    width: int
    dtype: str


@dataclass
class Validation:
    """The result for one split.

    Attributes:
        name: The annotation file.
        problems: Everything that would stop or spoil a run.
        found: Known faults of the annotation with their counts, and what was done about them.
        notes: Unusual, but not wrong: description and number of cases.
        summary: Label to text.
        widths: Columns of the video, audio and text features, each together, where they are known.
    """

    name: str
    problems: list[Problem] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)
    summary: dict[str, str] = field(default_factory=dict)
    widths: dict[str, int] = field(default_factory=dict)

    def text(self, most: int | None = None) -> str:
        """The summary, the notes and the problems; ``most`` limits the problems."""
        width = max(map(len, self.summary), default=0)
        lines = [self.name]
        lines += [f'  {label:<{width}}  {value}' for label, value in self.summary.items()]
        lines += [f'  found: {line}' for line in self.found]
        lines += [f'  note: {count} {text}' for text, count in self.notes.items()]
        lines += [f'  {problem}' for problem in self.problems[:most]]
        if most is not None and len(self.problems) > most:
            lines.append(f'  ... and {len(self.problems) - most} more')
        count = len(self.problems)
        lines.append(f'  {count or "no"} problem{"" if count == 1 else "s"}')
        return printable('\n'.join(lines), keep='\n')


def validate_dataset(
    dataset: GroundingDataset,
    sample: int | None = None,
    threads: int = 8,
    on_start: OnStart = lambda total: lambda: None,
    all_counts: bool = False,
    features: bool = True,
) -> Validation:
    """Check the annotation and the features of a dataset.

    Args:
        dataset: Built with ``lazy_init=True``, so that nothing is loaded yet.
        sample: Read this many arrays of every store, evenly spread, instead of all.
        threads: Files that are read at the same time.
        on_start: Called with the number of arrays to read; returns what is called after each.
        all_counts: Count what is no fault but worth knowing too, such as unsorted windows.
        features: Look at the features too.
    """
    path = find_annotations(dataset.ann_file)
    result = Validation(str(path or dataset.ann_file))
    if path is None:
        result.problems.append(Problem('the annotation file does not exist.', result.name))
        return result
    records: list[Record] = []
    numbers: list[int] = []
    for line in _lines(dataset, path, result):
        result.problems += [Problem(text, result.name, line.number) for text in line.problems]
        if line.record is not None and dataset.domain in (None, line.record.get('domain')):
            records.append(line.record)
            numbers.append(line.number)
    result.found = dataset.census.lines(all_counts)
    if result.found and result.problems and not dataset.tolerance.repairs:
        result.found.append("windows='repair' of the dataset (--windows repair) mends these.")
    warning = dataset.census.warning()
    if warning:
        result.found.append(f'{warning}.')
    if not records:
        result.problems.append(Problem('no line is a correct record.', result.name))
        return result
    result.summary = describe_records(records, dataset.clip_length)
    result.notes = survey(records, dataset.clip_length, dataset.assembly.max_video_clips)
    if features:
        _check_features(dataset, records, numbers, result, sample, threads, on_start)
    result.problems.sort(key=lambda problem: problem.line or 0)
    return result


def _lines(dataset: GroundingDataset, path: Path, result: Validation) -> Iterator[Line]:
    """Yield the lines of the annotation file as far as it can be read."""
    try:
        yield from dataset.read_lines(path)
    except DataError as error:
        result.problems.append(Problem(str(error)))


def _check_features(
    dataset: GroundingDataset,
    records: list[Record],
    numbers: list[int],
    result: Validation,
    sample: int | None,
    threads: int,
    on_start: OnStart,
) -> None:
    """Read the features of all records once and compare them with each other and the records."""
    jobs: list[tuple[str, int, FeatureStore, dict[str, int]]] = []
    reader = dataset.reader
    kinds = {'video': reader.video, 'audio': reader.audio, 'text': reader.text}
    for kind, stores in kinds.items():
        for position, store in enumerate(stores):
            absent = store.absent()
            if absent:
                result.problems.append(Problem(f'missing: {absent}.', result.name))
                continue
            store.prepare(records, dataset.clip_length)
            first: dict[str, int] = {}
            for index, record in enumerate(records):
                first.setdefault(store.name_of(record), index)
            jobs.append((kind, position, store, _spread(first, sample)))
    step = on_start(sum(len(first) for *_, first in jobs))
    for kind, position, store, first in jobs:
        found: dict[str, Stored] = {}
        for name, outcome in _read_all(store, first, records, threads, step):
            if isinstance(outcome, DataError):
                _add(result, numbers[first[name]], str(outcome))
            else:
                found[name] = outcome
        widths = Counter(stored.width for stored in found.values())
        width = widths.most_common(1)[0][0] if widths else 0
        for name, stored in found.items():
            if stored.width != width:
                text = f'the features are {stored.width} wide, most others {width}.'
                _add(result, numbers[first[name]], f'{store}: {name!r}: {text}')
        label = kind if position == 0 else f'{kind} {position + 1}'
        result.summary[f'{label} features'] = describe_features(list(found.values()))
        result.widths[kind] = result.widths.get(kind, 0) + width
        if kind == 'text':
            result.notes |= _odd_texts(found, first, records)
        else:
            _compare_lengths(dataset, store, found, records, numbers, result, label)


def _odd_texts(
    found: dict[str, Stored], first: dict[str, int], records: list[Record]
) -> dict[str, int]:
    """Note text features that are no sequences of tokens, by their numbers of rows."""
    rows = [
        (stored.rows, records[first[name]]['query'])
        for name, stored in found.items()
        if len(records[first[name]]['query'].split()) > 1
    ]
    kinds = {
        'queries of several words that all have one row of text features; is it a vector of the '
        'whole sentence? Systems expect one row per token': all(count == 1 for count, _ in rows),
        # Some encoders of characters add a first and a last one.
        'queries that all have about one row of text features per character; systems expect one '
        'row per token': all(0 <= count - len(query) <= 2 for count, query in rows),
    }
    return {text: len(rows) for text, holds in kinds.items() if holds and rows}


def _add(result: Validation, line: int, text: str) -> None:
    result.problems.append(Problem(text, result.name, line))


def _spread(first: dict[str, int], sample: int | None) -> dict[str, int]:
    """Keep ``sample`` entries, evenly spread; None keeps all."""
    if sample is None or sample >= len(first):
        return first
    names = list(first)
    chosen = np.linspace(0, len(names) - 1, sample).round().astype(int)
    return {names[index]: first[names[index]] for index in chosen}


def _read_all(
    store: FeatureStore,
    first: dict[str, int],
    records: list[Record],
    threads: int,
    step: Callable[[], object],
) -> Iterator[tuple[str, Stored | DataError]]:
    def read(index: int) -> Stored | DataError:
        try:
            features, dtype = store.inspect(records[index])
            rows, width = features.shape
            return Stored(rows, width, dtype)
        except DataError as error:
            return error

    names = list(first)
    if not names:
        return
    # The first one alone: a store may open files that all reads share.
    yield names[0], read(first[names[0]])
    step()
    with ThreadPoolExecutor(threads) as pool:
        for name, outcome in zip(names[1:], pool.map(read, (first[name] for name in names[1:]))):
            yield name, outcome
            step()


def _compare_lengths(
    dataset: GroundingDataset,
    store: FeatureStore,
    found: dict[str, Stored],
    records: list[Record],
    numbers: list[int],
    result: Validation,
    label: str,
) -> None:
    """Compare the rows of a video with what its duration implies, for every query."""
    differences: Counter[int] = Counter()
    told: set[tuple[str, int]] = set()
    for record, number in zip(records, numbers):
        name = store.name_of(record)
        if name not in found:
            continue
        length = (found[name].rows, record, dataset.clip_length)
        surplus = dataset.assembly.surplus(*length)
        if (name, surplus) in told:
            continue
        told.add((name, surplus))
        differences[surplus] += 1
        problem = dataset.assembly.length_problem(*length)
        if problem:
            _add(result, number, f'{store}: {name!r} {problem}')
    listed = ', '.join(f'{d:+d}: {count}' for d, count in sorted(differences.items()) if d)
    result.summary[f'{label} length'] = f'{differences[0]} as the duration implies' + (
        f'; clips more or fewer: {listed}' if listed else ''
    )
