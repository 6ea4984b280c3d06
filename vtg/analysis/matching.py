# SPDX-License-Identifier: Apache-2.0
"""Which prediction finds which annotated window at one threshold, as for mAP."""

import numpy as np

from vtg.evaluation.functional import average_precision

NONE = -1


def match(iou: np.ndarray, mask: np.ndarray, truth_mask: np.ndarray, least: float) -> np.ndarray:
    """Let every prediction, best first, take the free annotated window of the highest IoU.

    Of equal IoUs the window that comes last in the annotation is taken, as in
    :func:`vtg.evaluation.functional.average_precision`.

    Args:
        iou: ``(Q, K, G)``. mask: ``(Q, K)``. truth_mask: ``(Q, G)``.
        least: IoU that a pair must reach.

    Returns:
        ``(Q, K)`` index of the annotated window, :data:`NONE` without one.
    """
    queries, ranks, windows = iou.shape
    free = truth_mask.copy()
    taken = np.full((queries, ranks), NONE)
    for rank in range(ranks):
        candidates = np.where(free & mask[:, rank, None], iou[:, rank], -np.inf)[:, ::-1]
        found = candidates.argmax(1)
        hit = np.take_along_axis(candidates, found[:, None], 1)[:, 0] >= least
        index = windows - 1 - found
        taken[hit, rank] = index[hit]
        free[hit, index[hit]] = False
    return taken


def matched_truth(taken: np.ndarray, windows: int) -> np.ndarray:
    """``(Q, G)``: the annotated windows that :func:`match` has given away."""
    found = np.zeros((len(taken), windows), bool)
    query, rank = np.nonzero(taken != NONE)
    found[query, taken[query, rank]] = True
    return found


def ap_at(
    iou: np.ndarray, mask: np.ndarray, truth_mask: np.ndarray, threshold: float
) -> np.ndarray:
    """Average precision ``(Q,)`` in [0, 1] at one threshold; NaN for a query without windows.

    The predictions of a query need not come before its padding.
    """
    keep = truth_mask.any(1)
    order = np.argsort(~mask, axis=1, kind='stable')
    values = np.full(len(iou), np.nan)
    if keep.any():
        sorted_iou = np.take_along_axis(iou, order[..., None], 1)
        sorted_mask = np.take_along_axis(mask, order, 1)
        values[keep] = average_precision(
            sorted_iou[keep], sorted_mask[keep], truth_mask[keep], np.array([threshold])
        )[:, 0]
    return values
