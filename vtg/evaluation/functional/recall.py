# SPDX-License-Identifier: Apache-2.0
"""Recall of the first k windows at an IoU: the numbers of Ego4D-NLQ, ActivityNet Captions, MAD."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from vtg.utils import DataError, Record, is_number

from .matching import annotated_windows, predicted_windows, query_parts
from .moment_retrieval import has_windows, iou_matrix
from .padding import RecordError
from .qvhighlights import round_percent
from .records import match_records


def evaluate_recall(
    predictions: Sequence[Record],
    annotations: Sequence[Record],
    *,
    rounded: bool = True,
    ranks: Sequence[int] = (1, 5),
    thresholds: Sequence[float] = (0.3, 0.5, 0.7),
    strict: bool = False,
    discounted: bool = False,
    subset_ok: bool = False,
) -> dict[str, Any]:
    """Evaluate the recall of the first k windows in the order of the list.

    ``Rk@t`` is the share of the queries of which one of the first k windows has an IoU of at least
    t with an annotated one, ``mRk`` its mean over the thresholds, ``mIoU`` the mean IoU of the
    first window. A query without predicted windows is a miss; queries without annotated ones are
    left out. A moment without length is never hit.

    Args:
        predictions, annotations, rounded, subset_ok: See
            :func:`vtg.evaluation.functional.evaluate_moment_retrieval`.
        ranks: The k.
        thresholds: The t.
        strict: The IoU must exceed t, as in the evaluators of Ego4D-NLQ and NA-VMR.
        discounted: Add ``dR1@t`` (Yuan et al., "A Closer Look at Temporal Sentence Grounding in
            Videos: Dataset and Metric", 2021), where hits count by how near both ends are, in
            shares of ``duration``.

    Returns:
        ``{'brief': {'R1@0.3': ..., 'mR1': ..., 'mIoU': ...}, 'queries': ...}`` in per cent.

    Raises:
        DataError: The queries differ or repeat, a record is malformed, or none is labelled.
    """
    predicted, annotated = match_records(predictions, annotations, subset_ok)
    if not has_windows(annotated):
        raise DataError('no annotation has `relevant_windows`; use a labelled split.')
    pieces = [
        _best_ious(predicted[part], annotated[part], max(ranks)) for part in query_parts(annotated)
    ]
    best = np.concatenate([ious for ious, _ in pieces])  # (Q, K)
    near = np.concatenate([factor for _, factor in pieces])  # (Q,)
    count = max(len(best), 1)
    brief: dict[str, float] = {}
    hits = {t: (best > t) if strict else (best >= t) for t in thresholds}
    for k in ranks:
        values = {f'R{k}@{t:g}': 100 * hit[:, :k].any(-1).sum() / count for t, hit in hits.items()}
        brief |= {name: float(value) for name, value in values.items()}
        brief[f'mR{k}'] = float(np.mean(list(values.values())))
    brief['mIoU'] = float(100 * best[:, 0].sum() / count)
    if discounted:
        if np.isnan(near).any():
            place = int(np.isnan(near).argmax())
            qid = [r['qid'] for r in annotated if r.get('relevant_windows')][place]
            raise RecordError(qid, 'duration', 'is needed in seconds for the discounted recall.')
        brief |= {
            f'dR1@{t:g}': float(100 * near[hit[:, 0]].sum() / count) for t, hit in hits.items()
        }
    result = {'brief': brief, 'queries': len(best)}
    return round_percent(result) if rounded else result


def _best_ious(
    predictions: Sequence[Record], annotations: Sequence[Record], most: int
) -> tuple[np.ndarray, np.ndarray]:
    """Best IoU of each of the first windows ``(Q, K)``, and how near the ends of the first are to
    those of its best annotated window ``(Q,)``, of the queries that have one."""
    predicted, annotated = predicted_windows(predictions, most), annotated_windows(annotations)
    iou = np.nan_to_num(iou_matrix(predicted.spans, annotated.spans))
    iou = np.where(predicted.mask[..., None] & annotated.mask[:, None], iou, 0)
    best = np.pad(iou.max(-1), ((0, 0), (0, most - iou.shape[1])))
    first = predicted.spans[:, 0]
    chosen = iou[:, 0].argmax(-1)[:, None, None]
    target = np.take_along_axis(annotated.spans, chosen, 1)[:, 0]
    seconds = [record.get('duration') for record in annotations]
    video = np.array([s if is_number(s, 0) and s else np.nan for s in seconds])
    near = (1 - np.abs(first - target) / video[:, None]).prod(-1)
    keep = annotated.mask.any(-1)
    return best[keep], near[keep]
