# SPDX-License-Identifier: Apache-2.0
"""Queries that may have no moment, where a model answers or rejects: Charades-RF, NA-VMR."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from vtg.utils import Record

from .matching import (
    EXISTENCE,
    TRUTH,
    WINDOWS,
    annotated_windows,
    area_under_roc,
    count_windows,
    existence_scores,
    predicted_windows,
    query_parts,
)
from .moment_retrieval import iou_matrix
from .padding import RecordError
from .qvhighlights import round_percent
from .records import match_records

ANSWERED = 'pred_answered'
USUAL_THRESHOLD = 0.5


def evaluate_unanswerable(
    predictions: Sequence[Record],
    annotations: Sequence[Record],
    *,
    rounded: bool = True,
    threshold: float | None = None,
    inclusive: bool = False,
    iou_thresholds: Sequence[float] = (0.3, 0.5, 0.7),
    strict: bool = False,
    compat: Literal['causalvtg'] | None = None,
    subset_ok: bool = False,
) -> dict[str, Any]:
    """Evaluate answers to queries of which some have no moment.

    A query has the IoU 1 where it has no moment and is rejected, 0 where only one of both holds,
    and else that of its first window with the best annotated one (RaTSG, 2024). Over all queries,
    ``R1@t`` is the share with an IoU of at least t, ``mIoU`` the mean, ``Acc`` the share of right
    decisions (``Acc@null``, ``Acc@positive``: of the queries without and with a moment), and
    ``Rej-P``, ``Rej-R`` and ``Rej-F1`` measure rejections. ``Pos-R1@t`` is over the queries with a
    moment, of which the rejected are misses; ``Pos-ungated-R1@t`` ignores the decision. ``nulls``
    is the share of queries without a moment.

    Args:
        predictions: Records with ``pred_relevant_windows``, ``pred_exist_score``,
            ``pred_answered``, as far as a model has them.
        annotations: Records with ``relevant_windows``, ``[]`` for no moment.
        rounded, subset_ok: See :func:`vtg.evaluation.functional.evaluate_moment_retrieval`.
        threshold: A query is answered where its score exceeds this: ``pred_exist_score``, else the
            highest score of its windows, else 0. None takes ``pred_answered``, else compares
            ``pred_exist_score`` with 0.5, else takes those that have windows.
        inclusive: A score equal to the threshold answers, as in NA-VMR.
        iou_thresholds: The t.
        strict: The IoU must exceed t, as in NA-VMR.
        compat: ``'causalvtg'``: R1 and mIoU over the ids of the file instead of its records, the
            last record of an id in the order of the annotations, as CausalVTG's evaluator has it.
            The id is ``text_key`` where the records were numbered anew.

    Returns:
        ``{'brief': {...}, 'counts': {...}}`` in per cent.

    Raises:
        DataError: The queries differ or repeat, or a record is malformed.
    """
    predicted, annotated = match_records(predictions, annotations, subset_ok)
    null = count_windows(annotated, TRUTH) == 0
    answered = answered_queries(predicted, threshold, inclusive)
    ungated = np.concatenate(
        [_first_iou(predicted[part], annotated[part]) for part in query_parts(annotated)]
    )
    gated = np.where(answered, ungated, 0)
    iou = np.where(null, ~answered, gated)
    counted = np.ones(len(iou), bool)
    if compat == 'causalvtg':
        last = {record.get('text_key', record['qid']): i for i, record in enumerate(annotated)}
        counted = np.isin(np.arange(len(iou)), list(last.values()))

    def share(hits: np.ndarray, among: np.ndarray) -> float:
        return float(100 * hits[among].mean()) if among.any() else np.nan

    def hits(values: np.ndarray, t: float) -> np.ndarray:
        return (values > t) if strict else (values >= t)

    right = answered != null
    precision, recall = share(null, ~answered), share(~answered, null)
    precision = 0.0 if np.isnan(precision) else precision
    brief = {'Acc': share(right, counted | True), 'mIoU': share(iou, counted)}
    brief |= {f'R1@{t:g}': share(hits(iou, t), counted) for t in iou_thresholds}
    brief |= {'Acc@null': share(right, null), 'Acc@positive': share(right, ~null)}
    total = precision + recall
    brief |= {'Rej-P': precision, 'Rej-R': recall}
    brief['Rej-F1'] = 2 * precision * recall / total if total else 0.0
    brief['AUROC'] = 100 * area_under_roc(existence_scores(predicted), ~null)
    for name, values in (('Pos', gated), ('Pos-ungated', ungated)):
        brief |= {f'{name}-R1@{t:g}': share(hits(values, t), ~null) for t in iou_thresholds}
    brief['nulls'] = share(null, counted | True)
    counts = {
        'queries': len(null),
        'without a moment': int(null.sum()),
        'answered': int(answered.sum()),
        'in R1 and mIoU': int(counted.sum()),
    }
    result = {'brief': brief, 'counts': counts}
    return round_percent(result) if rounded else result


def answered_queries(
    predictions: Sequence[Record], threshold: float | None = None, inclusive: bool = False
) -> np.ndarray:
    """Which queries a model answers ``(Q,)``; see :func:`evaluate_unanswerable`.

    Raises:
        RecordError: ``pred_answered`` is no truth value, or a score no number.
    """
    scores = existence_scores(predictions)
    limit = USUAL_THRESHOLD if threshold is None else threshold
    by_score = (scores >= limit) if inclusive else (scores > limit)
    if threshold is not None:
        return by_score
    answered, windows = np.zeros(len(scores), bool), count_windows(predictions, WINDOWS)
    for index, record in enumerate(predictions):
        said = record.get(ANSWERED)
        if said is not None:
            if not isinstance(said, bool):
                raise RecordError(record.get('qid'), ANSWERED, 'must be true or false.')
            answered[index] = said
        elif record.get(EXISTENCE) is not None:
            answered[index] = by_score[index]
        else:
            answered[index] = windows[index] > 0
    return answered


def _first_iou(predictions: Sequence[Record], annotations: Sequence[Record]) -> np.ndarray:
    """Best IoU of the first window ``(Q,)``, 0 where either side has none."""
    predicted, annotated = predicted_windows(predictions, 1), annotated_windows(annotations)
    iou = np.nan_to_num(iou_matrix(predicted.spans, annotated.spans))[:, 0]
    return np.where(predicted.mask[:, :1] & annotated.mask, iou, 0).max(-1)
