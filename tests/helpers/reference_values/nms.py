# SPDX-License-Identifier: Apache-2.0
"""Suppression and post-processing of moments against stored outputs."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from vtg.evaluation.records import moments_to_lists
from vtg.models.task_modules import PostProcessor, soft_nms, temporal_nms
from vtg.structures import MomentList
from vtg.utils import read_json

from .core import Row, compare, largest

TOLERANCE = 1e-5
Windows = list[list[float]]
Step = Callable[[MomentList, float], MomentList]


def as_moments(windows: Windows, dtype: torch.dtype = torch.float32) -> MomentList:
    """One sample ``[[start, end, score], ...]`` as a batch."""
    table = torch.tensor([windows], dtype=dtype).view(1, -1, 3)
    mask = torch.ones(table.shape[:2], dtype=torch.bool)
    return MomentList(table[..., :2], table[..., 2], mask)


def _numbers(pattern: str, text: str) -> list[float] | None:
    """The numbers in the groups of the first match, or None."""
    match = re.search(pattern, text)
    return None if match is None else [float(number) for number in match.groups()]


def _kept(doc: str) -> int | None:
    count = _numbers(r'at most (\d+) kept', doc)
    return None if count is None else int(count[0])


def _suppression(decay: str) -> Callable[[re.Match, str], Step]:
    """Soft suppression; the name of the output may hold the width of the Gaussian."""

    def make(match: re.Match, doc: str) -> Step:
        kind = decay or match[0]
        sigma = float(match[1]) if match.groups() else 0.5
        return lambda moments, thr: soft_nms(moments, kind, thr, sigma, _kept(doc))

    return make


def _rounding(match: re.Match, doc: str) -> Step:
    """Post-processing with the limits that the description of the output states."""
    lengths = _numbers(r'lengths into \[([\d.]+),([\d.]+)\]', doc)
    shift = _numbers(r'shifted to \[start([+-]\d+), end([+-]\d+)\]', doc) or (0.0, 0.0)
    (high,) = _numbers(r'clamp to \[0,([\d.]+)\]', doc)
    (grid,) = _numbers(r'multiples of ([\d.]+)', doc)
    steps: dict[str, dict] = {}
    if lengths is not None:
        steps['lengths'] = dict(type='LimitLengths', min_length=lengths[0], max_length=lengths[1])
    steps['clamp'] = dict(type='ClampMoments', high=high)
    steps['round'] = dict(type='RoundMoments', grid=grid)
    steps['scores'] = dict(type='RoundScores', digits=4)
    processor = PostProcessor(steps)
    return lambda moments, thr: processor(
        replace(moments, spans=moments.spans + torch.tensor(shift))
    )


# By the name of an output: how its function is made from the match and the stored description.
VARIANTS: tuple[tuple[str, Callable[[re.Match, str], Step]], ...] = (
    (
        r'temporal_nms(?:_max\d+)?',
        lambda match, doc: lambda moments, thr: temporal_nms(moments, thr, _kept(doc)),
    ),
    (r'zeroing|linear', _suppression('')),
    (r'gaussian_sigma([\d.]+)', _suppression('gaussian')),
    (r'bam_soft', _suppression('gaussian_above')),
    (r'round_clip\w+|window_lengths_center_\w+', _rounding),
)
# These were computed in double precision.
DOUBLE = ('temporal_nms', 'bam_soft')


def _variant(name: str, doc: str) -> Step | None:
    for pattern, make in VARIANTS:
        match = re.fullmatch(pattern, name)
        if match:
            return make(match, doc)
    return None


def _compare(name: str, ours: Windows, theirs: Windows) -> tuple[Row, Row]:
    """Compare seconds and scores; rows whose score became 0 have no defined order."""
    ours, theirs = (np.array(windows, np.float64).reshape(-1, 3) for windows in (ours, theirs))
    if ours.shape == theirs.shape:
        dead = theirs[:, 2] == 0
        for table in (ours, theirs):
            table[dead] = table[dead][np.lexsort(table[dead].T[::-1])]
    return (
        compare(f'{name} seconds', ours[:, :2], theirs[:, :2], TOLERANCE, scaled=False),
        compare(f'{name} scores', ours[:, 2], theirs[:, 2], TOLERANCE, scaled=False),
    )


def check(folder: str | Path) -> Iterator[Row]:
    """Compare every output of the set ``nms_postprocess``, one row per output over all cases."""
    stored = read_json(Path(folder) / 'nms_postprocess.json')
    cases = stored['cases']
    for name in cases[0]:
        if name in ('input', 'thr'):
            continue
        step = _variant(name, stored['doc'].get(name, ''))
        if step is None:
            yield Row(name, float('inf'), 0.0, 'no rule for this output')
            continue
        dtype = torch.float64 if name.startswith(DOUBLE) else torch.float32
        rows = []
        for index, case in enumerate(cases):
            moments = step(as_moments(case['input'], dtype), case['thr'])
            rows.append(_compare(f'case {index}', moments_to_lists(moments, None)[0], case[name]))
        yield largest(f'{name} seconds', (seconds for seconds, _ in rows))
        yield largest(f'{name} scores', (scores for _, scores in rows))
