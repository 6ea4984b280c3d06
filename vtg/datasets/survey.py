# SPDX-License-Identifier: Apache-2.0
"""What is unusual about an annotation file, counted.

None of this stops a run; errors are the business of :mod:`vtg.datasets.annotations`.
"""

import re
from collections.abc import Sequence

import numpy as np

from vtg.utils import Record, exceeds

from .annotations import flatten_windows

# The last range of window lengths that QVHighlights' evaluation knows, and its list length.
_LONGEST_RANGE, _COUNTED_WINDOWS = 150, 10
_SEGMENT = re.compile(r'.+_(\d+(?:\.\d+)?)_(\d+(?:\.\d+)?)')


def implied_clips(record: Record, clip_length: float) -> int:
    """Return how many clips a video has: one per row of ratings, else by its duration."""
    if record.get('label'):
        return len(record['label'])
    # The small addend keeps 30.6 s at 0.2 s per clip from losing a clip to rounding.
    return max(1, int(record['duration'] / clip_length + 1e-6))


def survey(
    records: Sequence[Record], clip_length: float, max_video_clips: int | None = None
) -> dict[str, int]:
    """Count what is unusual.

    Args:
        records: Checked records, see :func:`vtg.datasets.annotations.check_records`.
        clip_length: Seconds per clip.
        max_video_clips: Clips that are kept of a video; None keeps all.

    Returns:
        Description to count, without zeros.
    """
    counts = {
        **_survey_windows(records, clip_length, max_video_clips),
        **_survey_ratings([record for record in records if record.get('label')], clip_length),
        'videos whose id names another length than the duration': _other_length(records),
    }
    return {text: int(count) for text, count in counts.items() if count}


def _survey_windows(
    records: Sequence[Record], clip_length: float, max_video_clips: int | None
) -> dict[str, int]:
    windows, _, per_query = flatten_windows(records)
    length = windows[:, 1] - windows[:, 0]
    kept = np.inf if max_video_clips is None else max_video_clips * clip_length
    return {
        f'windows shorter than one clip ({clip_length:g} s)': (length < clip_length).sum(),
        f'windows longer than {_LONGEST_RANGE} s (the range "long" leaves them out)': (
            length > _LONGEST_RANGE
        ).sum(),
        f'windows that end after the {kept:g} s that are kept': exceeds(windows[:, 1], kept).sum(),
        f'queries with more than {_COUNTED_WINDOWS} windows (their AP stays below 1)': (
            per_query > _COUNTED_WINDOWS
        ).sum(),
    }


def _survey_ratings(records: Sequence[Record], clip_length: float) -> dict[str, int]:
    rated = [np.asarray(record['label'], dtype=np.float64) for record in records]
    flat = sum(_without_highlight(ratings) for ratings in rated)
    different = sum(
        len(ratings) != int(record['duration'] / clip_length + 1e-6)
        for ratings, record in zip(rated, records)
    )
    return {
        'raters with no clip above their median (their AP in TVSum is 0)': flat,
        f'videos with more or fewer rated clips than their duration at {clip_length:.3g} s per '
        'clip': different,
    }


def _without_highlight(ratings: np.ndarray) -> int:
    """Count the raters of a video ``(L, C)`` that put no clip above their median."""
    median = np.sort(ratings, axis=0)[(len(ratings) - 1) // 2]
    return int((ratings <= median).all(0).sum()) if ratings.shape[1] > 1 else 0


def _other_length(records: Sequence[Record]) -> int:
    matches = ((_SEGMENT.fullmatch(str(record['vid'])), record['duration']) for record in records)
    return sum(
        bool(exceeds(abs(float(match[2]) - float(match[1]) - duration), 0))
        for match, duration in matches
        if match
    )
