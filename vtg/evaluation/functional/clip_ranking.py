# SPDX-License-Identifier: Apache-2.0
"""Highlight detection on TVSum and YouTube Highlights: how well clips are ranked per video.

Q videos, L clips (padded), C raters. Scores are per clip, any range.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.integrate import trapezoid

from .padding import RecordError, pad_rows
from .records import UNANSWERED, match_records

FIELD = 'pred_saliency_scores'


def trapezoid_average_precision(
    scores: np.ndarray, scored: np.ndarray, labels: np.ndarray, top: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Area under the precision-recall curve, by the trapezoid rule, of the best ``top`` clips.

    The curve starts at recall 0 and precision 1; recall is relative to the highlights among the
    ranked clips, not to those of the video. Equal scores keep the order of the clips.

    Args:
        scores: ``(Q, L)``.
        scored: ``(Q, L)`` True on the clips that are ranked.
        labels: ``(Q, L, C)`` True on highlights.
        top: How many of the best clips count; None takes all.

    Returns:
        The area ``(Q, C)`` in [0, 1], 0 where no ranked clip is a highlight, and the number of
        highlights among the ranked clips ``(Q, C)``.
    """
    order = np.argsort(np.where(scored, -scores, np.inf), axis=-1, kind='stable')[:, :top]
    ranked = np.take_along_axis(labels & scored[..., None], order[..., None], 1)
    found = ranked.cumsum(1)  # (Q, K, C)
    positives = found[:, -1]
    precision = found / np.arange(1, found.shape[1] + 1)[:, None]
    recall = found / np.maximum(positives, 1)[:, None]
    start = ((0, 0), (1, 0), (0, 0))
    precision, recall = np.pad(precision, start, constant_values=1), np.pad(recall, start)
    return trapezoid(precision, recall, axis=1), positives


def above_median(ratings: np.ndarray, rated: np.ndarray) -> np.ndarray:
    """The clips that a rater puts strictly above the (lower) median of the video.

    Args:
        ratings: ``(Q, L, C)``; rated: ``(Q, L)`` True on real clips, which come first.

    Returns:
        ``(Q, L, C)`` bool.
    """
    ordered = np.sort(np.where(rated[..., None], ratings, np.inf), axis=1)
    middle = np.maximum(rated.sum(1) - 1, 0) // 2  # (Q,)
    median = np.take_along_axis(ordered, middle[:, None, None], 1)  # (Q, 1, C)
    return (ratings > median) & rated[..., None]


def clip_ranking(
    predictions: Sequence[dict[str, Any]],
    annotations: Sequence[dict[str, Any]],
    top: int | None = None,
    highlight: str = 'positive',
) -> tuple[np.ndarray, np.ndarray]:
    """Average precision per video and rater.

    Scores beyond the rated clips are ignored; rated clips without a score are never retrieved, but
    count for the median.

    Args:
        predictions: Records with ``pred_saliency_scores``, one number per clip, none where they say
            ``unanswered``.
        annotations: Records with ``label``, one row of ratings per clip, pair by pair.
        top: See :func:`trapezoid_average_precision`.
        highlight: What makes a clip a highlight: a ``'positive'`` rating or one above the
            ``'median'`` of the rater in the video.

    Returns:
        The area ``(Q, C)`` and the number of retrievable highlights ``(Q, C)``.

    Raises:
        RecordError: A record lacks ratings or scores, or they are malformed.
    """
    qids = [record.get('qid') for record in annotations]
    rows: list[Any] = [record.get('label') for record in annotations]
    for qid, ratings, prediction in zip(qids, rows, predictions):
        if not (isinstance(ratings, list) and ratings and isinstance(ratings[0], list)):
            raise RecordError(
                qid, 'label',
                'of the annotation must hold one row of ratings per clip; highlight detection '
                'needs it for every video.',
            )  # fmt: skip
        if not ratings[0]:
            raise RecordError(qid, 'label', 'has a row without ratings; remove the record.')
        scores = prediction.get(FIELD)
        given = isinstance(scores, list | tuple | np.ndarray) and len(scores) > 0
        if not given and not prediction.get(UNANSWERED):
            raise RecordError(
                qid, FIELD,
                'must hold one number per clip; the model needs a saliency head, or write the '
                'scores.',
            )  # fmt: skip
    ratings, rated = pad_rows(rows, qids, 'label', len(rows[0][0]))  # (Q, L, C)
    scores, scored = pad_rows([record[FIELD] for record in predictions], qids, FIELD)
    width, missing = rated.shape[1], max(0, rated.shape[1] - scores.shape[1])
    scores, scored = (np.pad(a, ((0, 0), (0, missing)))[:, :width] for a in (scores, scored))
    labels = above_median(ratings, rated) if highlight == 'median' else ratings > 0
    return trapezoid_average_precision(scores, scored & rated, labels, top)


def evaluate_clip_ranking(
    predictions: Sequence[dict[str, Any]],
    annotations: Sequence[dict[str, Any]],
    *,
    top: int | None = None,
    highlight: str = 'positive',
    without_positives: str = 'zero',
    subset_ok: bool = False,
) -> dict[str, Any]:
    """Mean average precision over the raters, the videos of a domain, then the domains.

    TVSum is ``top=5, highlight='median'`` (Song et al., 2015, as evaluated by UMT, Liu et al.,
    2022): recall is relative to the five retrieved clips. YouTube Highlights is the default: all
    clips, binary ratings.

    Args:
        predictions, annotations, top, highlight: See :func:`clip_ranking`; matched by qid here.
        without_positives: What happens to a rating without any highlight among the ranked clips:
            ``'zero'`` counts it as 0 (UMT, UniVTG, R2-Tuning), ``'skip'`` leaves it out (CG-DETR,
            FlashVTG). They differ only where predictions are shorter than the ratings, or where a
            rater gives one value to all clips.
        subset_ok: Evaluate the queries that both sides have, instead of refusing a difference.

    Returns:
        ``{'HL-mAP': ..., 'domains': {name: ...}, 'videos': {qid: ...}, 'without_positives': n}``
        in per cent, unrounded. Records without ``domain`` form the domain ``''``. A domain
        of which every video is left out is NaN and not part of the mean.
    """
    predicted, annotated = match_records(predictions, annotations, subset_ok)
    area, positives = clip_ranking(predicted, annotated, top, highlight)
    # What was not answered is wrong, whatever could have been found.
    silent = np.array([bool(record.get(UNANSWERED)) for record in predicted])
    counted = (positives > 0) | silent[:, None] | (without_positives == 'zero')
    kept = counted.any(1)
    means = (area * counted).sum(1) / np.maximum(counted.sum(1), 1)  # (Q,)
    domains = [str(record.get('domain') or '') for record in annotated]
    names, owner = np.unique(domains, return_inverse=True)
    totals = np.bincount(owner, means * kept, len(names))
    counts = np.bincount(owner, kept, len(names))
    values = 100 * totals / np.where(counts, counts, np.nan)
    return {
        'HL-mAP': float(values[counts > 0].mean()) if kept.any() else math.nan,
        'domains': {str(name): float(value) for name, value in zip(names, values)},
        'videos': {r['qid']: float(100 * mean) for r, mean in zip(annotated, means)},
        'without_positives': int((positives == 0).all(1).sum()),
    }
