# SPDX-License-Identifier: Apache-2.0
"""MomentMix against recorded calls and files of the released scripts."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vtg.datasets.assembly import Assembly
from vtg.datasets.augment import MomentMix
from vtg.datasets.labelling import Labelling
from vtg.datasets.mixing import Piece
from vtg.structures import GroundingTargets

from .core import ReferenceSet, Row, compare, compare_exact, largest

Record = dict[str, Any]
# Seconds that differ by rounding alone.
TOLERANCE = 1e-9


class Recorded:
    """Gives recorded random results to who asks for the same choice; stands for a generator."""

    def __init__(self, draws: Sequence[Record], step: float) -> None:
        self.draws, self.step = list(draws), step

    def _next(self, kind: str, size: int) -> Record:
        draw = self.draws.pop(0)
        sizes = {
            'sample': lambda: draw['population'][2],
            'shuffle': lambda: len(draw['order']),
            'choice': lambda: draw['size'],
        }
        if draw['kind'] != kind or sizes[kind]() != size:
            raise AssertionError(f'{kind} of {size} where {draw} was recorded')
        return draw

    def choice(self, places: np.ndarray, count: int, replace: bool) -> np.ndarray:
        """Cut points among places."""
        draw = self._next('sample', len(places))
        edges = np.asarray(places[[0, -1]]) * self.step
        if replace or draw['k'] != count or not np.allclose(edges, draw['population'][:2]):
            raise AssertionError(f'{count} of {edges} where {draw} was recorded')
        return np.rint(np.asarray(draw['result']) / self.step).astype(int)

    def permutation(self, size: int) -> np.ndarray:
        """A new order."""
        return np.asarray(self._next('shuffle', size)['order'])

    def integers(self, size: int) -> int:
        """An entry of a bin."""
        return self._next('choice', size)['index']


def _mix(case: Record) -> MomentMix:
    temporal = case['script'] == 'temporal'
    clip_length = case['clip_length']
    mix = MomentMix(
        part_length=case['epsilon'],
        cut_step=None if clip_length >= 1 else 1.0,
        bins=sorted(entry['lower_bound'] for entry in case['database']),
        fill_from='all' if temporal else 'moments',
        temporal='background' if temporal else 'nothing',
        as_released=True,
    )
    mix.prepare(case['rows'], clip_length)
    return mix


def _as_row(record: Record, rows: Sequence[Record]) -> Record:
    """The record as the scripts write it: pieces are named by their videos."""
    row = {key: value for key, value in record.items() if key != 'pieces'}
    if 'pieces' in record:
        row['org_clip_ids_order'] = [
            [rows[index]['vid'], [first, stop]] for index, first, stop in record['pieces']
        ]
    return row


def _same(name: str, ours: Record | None, theirs: Record | None) -> Row:
    """Windows to rounding, all else exactly."""
    if ours is None or theirs is None:
        return compare_exact(name, ours, theirs)
    windows = [row.get('relevant_windows', []) for row in (ours, theirs)]
    rest = [{k: v for k, v in row.items() if k != 'relevant_windows'} for row in (ours, theirs)]
    exact = compare_exact(name, *rest)
    return exact if exact.failed else compare(name, *windows, TOLERANCE)


class _Script:
    """Runs through the rows as the scripts do and compares every call with the recorded one."""

    def __init__(self, case: Record) -> None:
        self.rows, self.calls = case['rows'], list(case['calls'])
        self.mix = _mix(case)
        self.step = case['clip_length'] if case['clip_length'] >= 1 else 1.0
        self.temporal = case['script'] == 'temporal'
        self.found: list[Row] = []

    def call(self, kind: str, record: Record, index: int) -> list[Record]:
        """Mix a record; none where that is not possible."""
        row = _as_row(record, self.rows)
        recorded = self.calls[0] if self.calls else None
        if recorded is None or recorded['fn'] != kind or _same(kind, row, recorded['row']).failed:
            recorded = {'random': [], 'output': None}  # never called: nothing may come of it
        else:
            self.calls.pop(0)
        rng = Recorded(recorded['random'], self.step)
        try:
            mixed = getattr(self.mix, kind)(record, index, rng)
        except (AssertionError, IndexError) as error:
            self.found.append(Row(kind, float('inf'), 0.0, f'qid {row["qid"]}: {error}'))
            return []
        ours = None if mixed is None else _as_row(mixed, self.rows)
        self.found.append(_same(kind, ours, recorded['output']))
        self.found.append(compare_exact(f'{kind}_draws', len(rng.draws), 0))
        return [] if mixed is None else [mixed]

    def file(self) -> list[Record]:
        """The output file."""
        records = []
        for index, row in enumerate(self.rows):
            records += [(index, row)]
            records += [(index, new) for new in self.call('foreground', row, index)]
            if not self.temporal:
                records += [(index, new) for new in self.call('background', row, index)]
        if self.temporal:
            records = [
                (index, new)
                for index, row in records
                for new in (row, *self.call('background', row, index))
            ]
        return [_as_row(record, self.rows) for _, record in records]


def check(folder: str | Path) -> Iterator[Row]:
    """Compare the set ``la_detr_momentmix``: the stretches in their bins, every call, the files."""
    data = ReferenceSet(folder, 'la_detr_momentmix')
    for number, case in enumerate(data.info['cases']):
        name = f'{number}/{case["script"]}_{case["dataset"]}'
        script = _Script(case)
        bins = [
            [[*script.mix.ids[index], [start, end]] for index, start, end in entries]
            for entries in reversed(script.mix.stretches)
        ]
        yield compare_exact(
            f'{name}/database', bins, [entry['entries'] for entry in case['database']]
        )
        found = script.file()
        groups = defaultdict(list)
        for row in script.found:
            groups[row.name].append(row)
        for kind, rows in groups.items():
            yield largest(f'{name}/{kind}', rows)
        yield compare_exact(f'{name}/calls_left', len(script.calls), 0)
        yield compare_exact(f'{name}/rows', len(found), len(case['result']))
        yield largest(
            f'{name}/result', [_same('row', *both) for both in zip(found, case['result'])]
        )


def check_features(
    data: ReferenceSet, classes: Callable[[GroundingTargets], Tensor]
) -> Iterator[Row]:
    """Compare features and labels of the mixed rows of the set ``la_detr``.

    Args:
        data: The set.
        classes: Gives the class of every moment.
    """
    videos: dict[str, list[np.ndarray]] = defaultdict(list)
    for key in sorted(data.below('mix/in/')):
        videos[key.split('/')[0]].append(data.arrays[f'mix/in/{key}'])
    names, arrays = list(videos), list(videos.values())
    clip_length = data.fact('config.clip_length')
    labelling = Labelling(dict(type='AnnotatorSum'))
    for released in (True, False):
        mix = MomentMix(as_released=released)
        assembly = Assembly(normalize_mixed=not released)
        for number, row in enumerate(data.info['mix_rows']):
            record = dict(row)
            order = record.pop('org_clip_ids_order', None)
            parts = videos[row['vid']]
            if order is not None:
                record['pieces'] = [Piece(names.index(vid), *span) for vid, span in order]
                parts = mix.arrays(record, arrays.__getitem__)
            features, clips = assembly.video(parts, record)
            place = f'mix/out{"" if released else "_normalised"}/row{number}'
            yield compare(f'{place}/video_feat', features, data[f'{place}/video_feat'], 1e-6)
            if not released:
                continue
            rng = np.random.default_rng(0)
            labels = labelling.targets(record, clips, clip_length, rng)
            stored = data[f'{place}/saliency_all_labels']
            yield compare(f'{place}/saliency_all_labels', labels['saliency'], stored, 1e-6)
            stored = data[f'{place}/span_labels']
            if len(stored) == len(labels['spans']):
                yield compare(f'{place}/span_labels', labels['spans'], stored, 1e-6)
                spans = torch.from_numpy(labels['spans'])[None]
                duration = torch.tensor([clips * clip_length])
                given = SimpleNamespace(spans=spans, duration=duration)
                found, stored = classes(given)[0], data[f'{place}/moment_class']
                yield compare_exact(f'{place}/moment_class', found, stored)
            else:
                for name in ('span_labels', 'moment_class'):
                    yield Row(f'{place}/{name}', None, note='official-only: a random choice')
