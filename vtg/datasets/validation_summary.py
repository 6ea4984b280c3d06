# SPDX-License-Identifier: Apache-2.0
"""What a dataset holds, in a few lines of text."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from vtg.utils import Record

from .annotations import flatten_windows
from .survey import implied_clips

_LENGTHS = ((0, 10), (10, 30), (30, np.inf))


def describe_records(records: Sequence[Record], clip_length: float) -> dict[str, str]:
    """Describe correct internal records: queries, videos, moments, coverage, grades."""
    durations = {str(record['vid']): float(record['duration']) for record in records}
    windows, _, counts = flatten_windows(records)
    lengths = windows[:, 1] - windows[:, 0]
    clips = [implied_clips(record, clip_length) for record in records]
    summary = {
        'queries': f'{len(records)}, words {_spread([len(r["query"].split()) for r in records])}',
        'videos': f'{len(durations)}, seconds {_spread(list(durations.values()))}',
        'clips per video': f'{_spread(clips)} at {clip_length:g} s per clip',
        'queries per video': _spread(list(Counter(str(r['vid']) for r in records).values())),
        'moments per query': _counts(counts.tolist()),
    }
    if len(windows):
        shares = ', '.join(
            f'{_range(low, high)}: {((lengths > low) & (lengths <= high)).mean():.0%}'
            for low, high in _LENGTHS
        )
        covered = [_covered(record) for record in records if record.get('relevant_windows')]
        summary['moment seconds'] = f'{_spread(lengths)} ({shares})'
        summary['coverage'] = f'{np.mean(covered):.1%} of a video lies in moments'
    graded = sum(_has_grades(record) for record in records)
    summary['graded queries'] = str(graded)
    return summary


def describe_features(stored: Sequence[Any]) -> str:
    """Describe arrays with ``rows``, ``width`` and ``dtype``."""
    if not stored:
        return 'none could be read'
    widths, dtypes = ({getattr(item, name) for item in stored} for name in ('width', 'dtype'))
    return (
        f'{len(stored)} arrays, width {_listed(widths)}, {_listed(dtypes)}, rows '
        f'{_spread([item.rows for item in stored])}'
    )


def _has_grades(record: Record) -> bool:
    return any(record.get(name) for name in ('saliency', 'saliency_scores', 'label'))


def _covered(record: Record) -> float:
    """Share of a video that lies in any of its windows."""
    total, reached = 0.0, 0.0
    for start, end in sorted(record['relevant_windows']):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total / record['duration']


def _spread(values: Any) -> str:
    low, middle, high = np.quantile(np.asarray(values, dtype=np.float64), [0, 0.5, 1])
    return f'{low:g}' if low == high else f'{low:.4g} to {high:.4g} (median {middle:.4g})'


def _counts(values: Sequence[int]) -> str:
    counts = sorted(Counter(values).items())
    shown = ', '.join(f'{value}: {count}' for value, count in counts[:6])
    rest = sum(count for _, count in counts[6:])
    return shown + (f', more: {rest}' if rest else '')


def _range(low: float, high: float) -> str:
    return f'over {low:g} s' if np.isinf(high) else f'up to {high:g} s'


def _listed(values: Any) -> str:
    return ' and '.join(map(str, sorted(values)))
