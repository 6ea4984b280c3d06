# SPDX-License-Identifier: Apache-2.0
"""What is unusual about predictions, counted.

None of this stops an evaluation: the official evaluators take it, and published files hold some of
it. What cannot be evaluated is refused by the metrics themselves.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from vtg.utils import TOLERANCE, Record, is_number

from .highlights import LONGEST
from .moment_retrieval import MAX_WINDOWS
from .padding import flatten_rows

_PART = 1 << 13
"""Queries that are looked at together."""
REVERSED = 'predicted windows that end before they start, counted as misses'
LEFT_OUT = 'queries without a moment, left out of moment retrieval'
UNSORTED = 'queries whose windows are not sorted by falling score (R@1 takes the first)'
WINDOWS, SCORES, TRUTH = 'pred_relevant_windows', 'pred_saliency_scores', 'relevant_windows'


def survey_predictions(
    predictions: Sequence[Record], annotations: Sequence[Record], clip_length: float = 2.0
) -> dict[str, int]:
    """Count what is unusual.

    Args:
        predictions: Records that an evaluation has taken; annotations: pair by pair.
        clip_length: Seconds per clip.

    Returns:
        Description to count, without zeros.

    Raises:
        RecordError: A list that the evaluation did not read is malformed.
    """
    counts = {
        LEFT_OUT: sum(record.get(TRUTH) == [] for record in annotations),
        'predictions that name another video than the annotation': sum(
            prediction.get('vid', annotation.get('vid')) != annotation.get('vid')
            for prediction, annotation in zip(predictions, annotations)
        ),
        **_survey_windows(predictions, annotations),
        **_survey_scores(predictions, annotations, clip_length),
    }
    return {text: int(count) for text, count in counts.items() if count}


def _survey_windows(predictions: Sequence[Record], annotations: Sequence[Record]) -> Counter[str]:
    total: Counter[str] = Counter()
    for start in range(0, len(predictions), _PART):
        part = slice(start, start + _PART)
        total.update(_windows_of_part(predictions[part], annotations[part]))
    return total


def _windows_of_part(
    predictions: Sequence[Record], annotations: Sequence[Record]
) -> dict[str, int]:
    qids = [record['qid'] for record in predictions]
    lists = [_listed(record, WINDOWS) for record in predictions]
    rows, counts = flatten_rows(lists, qids, WINDOWS, 3)
    owner = np.repeat(np.arange(len(qids)), counts)
    start, end, score = rows.T
    video = np.array([_duration(record) for record in annotations])[owner]
    # Within one query only: the first window of a query follows the last of another.
    rising = (score[1:] > score[:-1]) & (owner[1:] == owner[:-1])
    truth, _ = flatten_rows([_listed(record, TRUTH) for record in annotations], qids, TRUTH, 2)
    return {
        REVERSED: (end < start).sum(),
        'predicted windows without length': (end == start).sum(),
        'predicted windows that begin before 0 or end after the video': (
            (start < 0) | (end > video + TOLERANCE)
        ).sum(),
        f'queries with more than {MAX_WINDOWS} predicted windows, of which mAP takes the first': (
            counts > MAX_WINDOWS
        ).sum(),
        UNSORTED: len(np.unique(owner[1:][rising])),
        'annotated windows without length, hit by any predicted one without length (mAP)': (
            truth[:, 0] == truth[:, 1]
        ).sum(),
    }


def _survey_scores(
    predictions: Sequence[Record], annotations: Sequence[Record], clip_length: float
) -> dict[str, int]:
    given = [(p[SCORES], a) for p, a in zip(predictions, annotations) if _is_given(p.get(SCORES))]
    constant = 0
    for start in range(0, len(given), _PART):
        part = given[start : start + _PART]
        # Also scores that no metric reads must be scores.
        lists = [scores for scores, _ in part]
        flat, counts = flatten_rows(lists, [a['qid'] for _, a in part], SCORES)
        starts = np.cumsum(counts) - counts
        same = np.maximum.reduceat(flat, starts) == np.minimum.reduceat(flat, starts)
        constant += int((same & (counts > 1)).sum())
    clips = [_clips(annotation, clip_length) for _, annotation in given]
    differ = [
        (len(scores), count)
        for (scores, _), count in zip(given, clips)
        if count is not None and len(scores) != count
    ]
    worst = max(differ, key=lambda pair: abs(pair[0] - pair[1]), default=(0, 0))
    text = (
        f'predictions with another number of scores than clips, such as {worst[0]} for {worst[1]} '
        '(cut, or filled with 0)'
    )
    return {
        text: len(differ),
        'predictions that give all clips one score': constant,
    }


def _listed(record: Record, field: str) -> Any:
    """The list of a field, empty where there is none; anything else is refused when it is read."""
    value = record.get(field)
    return value if _is_given(value) else []


def _is_given(value: Any) -> bool:
    return len(value) > 0 if isinstance(value, np.ndarray) else bool(value)


def _duration(record: Record) -> float:
    duration = record.get('duration')
    return duration if is_number(duration, 0) else np.inf


def _clips(record: Record, clip_length: float) -> int | None:
    """Clips by the grades or ratings of every clip, else by the duration; None if unknown."""
    for field in ('saliency', 'label'):
        if isinstance(record.get(field), list) and record[field]:
            return len(record[field])
    duration = record.get('duration')
    return int(duration / clip_length) if is_number(duration, 0, LONGEST) else None
