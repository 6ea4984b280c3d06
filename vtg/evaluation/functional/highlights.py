# SPDX-License-Identifier: Apache-2.0
"""Highlight detection on QVHighlights: HIT@1 and mAP against every annotator.

Q queries, L clips (padded), A annotators, C label columns. Scores are per clip, any range.
"""

from collections.abc import Sequence
from itertools import compress
from typing import Any

import numpy as np

from vtg.utils import is_number, shown

from .padding import RecordError, pad_rows, parts
from .records import UNANSWERED

GRADES = {'Fair': 2, 'Good': 3, 'VeryGood': 4}
"""The lowest grade of an annotator (0 to 4) that makes a clip a highlight."""


LONGEST = 1e6
"""Seconds; a longer duration (more than eleven days) is a mistake in the file."""

_MOST = 1 << 19
"""Clips, padding included, that are evaluated at once."""


def clip_labels(
    annotations: Sequence[dict[str, Any]], clip_length: float = 2.0, annotators: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The grade of every clip by every annotator.

    Args:
        annotations: Records with ``duration`` in seconds, ``relevant_clip_ids`` and, clip by clip,
            ``saliency_scores`` (one grade per annotator). Other clips have the grade 0. A query
            without a moment (``relevant_windows: []``) needs neither.
        clip_length: Seconds per clip.
        annotators: Grades per row; None takes those of the first row.

    Returns:
        Grades ``(Q, L, A)``, zero on padding, and the number of clips ``(Q,)``,
        ``int(duration / clip_length)``.

    Raises:
        RecordError: A field is missing or the fields of a record contradict each other.
    """
    qids = [record.get('qid') for record in annotations]
    clips = count_clips(annotations, clip_length)
    ids, grades = (
        [_labels_of(record, field) for record in annotations]
        for field in ('relevant_clip_ids', 'saliency_scores')
    )
    columns = annotators or count_annotators(annotations)
    values, mask = pad_rows(grades, qids, 'saliency_scores', columns)  # (Q, R, A)
    numbers, id_mask = pad_rows(ids, qids, 'relevant_clip_ids')
    index = np.where(np.abs(numbers) < 2**53, numbers, -1).astype(np.int64)
    inside = (numbers >= 0) & (numbers < clips[:, None])
    ordered = np.sort(np.where(id_mask, index, -1 - np.arange(index.shape[1])), axis=1)
    repeated = (ordered[:, 1:] == ordered[:, :-1]).any(-1)
    top = max(GRADES.values())
    for field, fits, problem in (
        ('relevant_clip_ids', ((index == numbers) | ~id_mask).all(-1), 'holds no indices'),
        ('relevant_clip_ids', (inside | ~id_mask).all(-1),
         f'names a clip outside the video; expected ids below duration / {clip_length:g}'),
        ('relevant_clip_ids', ~repeated, 'repeats a clip; expected one row of grades per clip'),
        ('saliency_scores', id_mask.sum(-1) == mask.sum(-1),
         'and `relevant_clip_ids` differ in number; expected one row of grades per clip'),
        ('saliency_scores', ((values >= 0) & (values <= top)).all((1, 2)),
         f'holds a grade outside 0 to {top}'),
    ):  # fmt: skip
        if not fits.all():
            raise RecordError(qids[int(fits.argmin())], field, f'{problem}.')
    labels = np.zeros((len(clips), max(1, clips.max(initial=0)), columns))
    labels[np.nonzero(mask)[0], index[mask]] = values[mask]
    return labels, clips


def count_clips(annotations: Sequence[dict[str, Any]], clip_length: float) -> np.ndarray:
    """Clips per video ``(Q,)``, ``int(duration / clip_length)``.

    Raises:
        RecordError: A duration is no positive number of seconds.
    """
    for record in annotations:
        duration = record.get('duration')
        if not is_number(duration, 0, LONGEST) or duration == 0:
            raise RecordError(
                record.get('qid'), 'duration',
                f'of the annotation is {shown(duration)}; expected seconds above 0 and up to '
                f'{LONGEST:,.0f}, which highlight detection needs for every query.',
            )  # fmt: skip
    return np.array([int(record['duration'] / clip_length) for record in annotations], np.int64)


def count_annotators(annotations: Sequence[dict[str, Any]]) -> int:
    """Grades in the first row of ``saliency_scores`` that there is, 1 without any."""
    lists = (_labels_of(record, 'saliency_scores') for record in annotations)
    row = next((rows[0] for rows in lists if rows), None)
    return len(row) if isinstance(row, list) and row else 1


def _labels_of(record: dict[str, Any], field: str) -> list[Any]:
    values = record.get(field)
    if values is None and record.get('relevant_windows') == []:
        return []
    if not isinstance(values, list):
        raise RecordError(
            record.get('qid'), field,
            f'of the annotation is missing or {shown(values)}; highlight detection needs it for '
            'every query.',
        )  # fmt: skip
    return values


def grouped_average_precision(
    scores: np.ndarray, labels: np.ndarray, clips: np.ndarray
) -> np.ndarray:
    """Average precision where clips of equal score form one step of the curve.

    At the end of every group of equal scores that adds a positive the precision is recorded and
    raised to the highest precision of any later group; the result is the plain mean of these
    values. This is the precision-recall curve of scikit-learn, interpolated and averaged over the
    distinct recall levels.

    Args:
        scores: ``(Q, L)``; entries past the end of the video are ignored.
        labels: ``(Q, L, C)`` bool.
        clips: ``(Q,)`` clips per video.

    Returns:
        ``(Q, C)`` in [0, 1]; 0 for a column without positives.
    """
    position = np.arange(scores.shape[1])
    valid = position < clips[:, None]
    scores = np.where(valid, scores, -np.inf)
    order = np.argsort(-scores, axis=-1, kind='stable')
    scores = np.take_along_axis(scores, order, -1)
    labels = np.take_along_axis(labels & valid[..., None], order[..., None], 1)
    differs = scores[:, 1:] != scores[:, :-1]
    border = np.ones((len(scores), 1), bool)
    ends = np.concatenate((differs, border), 1) & valid  # valid clips are sorted to the front
    starts = np.concatenate((border, differs), 1)
    start = np.maximum.accumulate(np.where(starts, position, 0), -1)  # (Q, L) of each clip's group
    found = labels.cumsum(1, dtype=np.int32)  # (Q, L, C)
    before = np.take_along_axis(found - labels, start[..., None], 1)
    level = ends[..., None] & (found > before)
    precision = np.where(ends[..., None], found / (position + 1.0)[:, None], 0)
    envelope = np.maximum.accumulate(precision[:, ::-1], 1)[:, ::-1]
    return (envelope * level).sum(1) / np.maximum(level.sum(1), 1)


def highlight_hits(
    scores: np.ndarray, scored: np.ndarray, labels: np.ndarray, clips: np.ndarray
) -> np.ndarray:
    """Whether the best clip of the raw list is a highlight of any annotator.

    Args:
        scores: ``(Q, K)`` raw scores, which may be more than there are clips.
        scored: ``(Q, K)`` True where a score was predicted.
        labels: ``(Q, L, ...)`` bool. clips: ``(Q,)`` clips per video.

    Returns:
        ``(Q, ...)`` bool: the label at the first maximum; False where that is past the video.
    """
    best = np.where(scored, scores, -np.inf).argmax(-1)
    inside = best < clips
    picked = labels[np.arange(len(best)), np.where(inside, best, 0)]
    return picked & inside.reshape(-1, *[1] * (picked.ndim - 1))


def evaluate_highlights(
    predictions: Sequence[dict[str, Any]],
    annotations: Sequence[dict[str, Any]],
    clip_length: float = 2.0,
) -> dict[str, dict[str, float]]:
    """Evaluate highlight detection at the three grades.

    Longer predictions are cut, shorter ones filled with 0.0 at the end (HIT@1 reads the list as
    it is). An annotator without a highlight in a video counts as average precision 0.

    Args:
        predictions: Records with ``pred_saliency_scores``, one number per clip. Those that say
            ``unanswered`` count 0 everywhere.
        annotations: Records as :func:`clip_labels` expects them, pair by pair.
        clip_length: Seconds per clip.

    Returns:
        ``{'HL-min-Fair': {'HL-mAP': ..., 'HL-Hit1': ...}, ...}`` in per cent, unrounded.

    Raises:
        DataError: A record lacks a field, or a list is empty or malformed.
    """
    field, total = 'pred_saliency_scores', len(predictions)
    answered = [not record.get(UNANSWERED) for record in predictions]
    predictions = list(compress(predictions, answered))
    annotations = list(compress(annotations, answered))
    if not predictions:
        return {f'HL-min-{name}': {'HL-mAP': 0.0, 'HL-Hit1': 0.0} for name in GRADES}
    for record in predictions:
        scores = record.get(field)
        if not isinstance(scores, list | tuple | np.ndarray) or len(scores) == 0:
            raise RecordError(
                record.get('qid'), field,
                f'must hold one number per clip, got {shown(scores)}; write the scores for every '
                'query or for none.',
            )  # fmt: skip
    annotators = count_annotators(annotations)
    lengths = [len(record[field]) for record in predictions]
    longest = np.maximum(count_clips(annotations, clip_length), lengths)
    pieces = [
        _query_values(predictions[part], annotations[part], clip_length, annotators)
        for part in parts(longest * annotators, _MOST)
    ]
    precision, hits = (np.concatenate(values) for values in zip(*pieces))
    precision = precision.reshape(-1, len(GRADES))
    share = len(predictions) / total
    return {
        f'HL-min-{name}': {
            'HL-mAP': float(100 * precision[:, index].mean() * share),
            'HL-Hit1': float(100 * hits[:, index].mean() * share),
        }
        for index, name in enumerate(GRADES)
    }


def _query_values(
    predictions: Sequence[dict[str, Any]],
    annotations: Sequence[dict[str, Any]],
    clip_length: float,
    annotators: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Average precision ``(Q, A, 3)`` and hits ``(Q, 3)`` at the three grades."""
    field = 'pred_saliency_scores'
    qids = [record.get('qid') for record in predictions]
    scores, scored = pad_rows([record[field] for record in predictions], qids, field)
    grades, clips = clip_labels(annotations, clip_length, annotators)  # (Q, L, A)
    # (Q, L, A, 3): one column per annotator and grade, so that all curves need one sort.
    labels = np.greater_equal(grades[..., None], list(GRADES.values()))
    hits = highlight_hits(scores, scored, labels.any(2), clips)  # (Q, 3)
    fitted = np.zeros(grades.shape[:2])
    width = min(grades.shape[1], scores.shape[1])
    fitted[:, :width] = scores[:, :width]
    columns = labels.reshape(*grades.shape[:2], -1)
    precision = grouped_average_precision(fitted, columns, clips)
    return precision.reshape(len(qids), annotators, len(GRADES)), hits
