# SPDX-License-Identifier: Apache-2.0
"""What mending one class of errors would gain in average precision."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from vtg.evaluation.functional import iou_matrix

from .arrays import Answers, Questions
from .errors import PREDICTION_CLASSES, TRUTH_CLASSES, ErrorProfile
from .matching import NONE, ap_at, matched_truth

MENDED = (
    'ranking', 'localisation', 'background', 'merged', 'split', 'duplicate', 'missed', 'null',
)  # fmt: skip


@dataclass(frozen=True)
class Gains:
    """Average precision per query ``(Q,)`` in [0, 1], NaN for queries that do not count.

    Attributes:
        plain: Of the list as it is.
        mended: After the repair of one class, by its name.
        everything: After the repair of all classes: 1 for every query that counts.
    """

    plain: np.ndarray
    mended: dict[str, np.ndarray]
    everything: np.ndarray

    def summary(self) -> dict[str, float]:
        """The gains of the mean, in points."""
        plain = _mean(self.plain)
        return {name: _mean(values) - plain for name, values in self.mended.items()}


def _mean(values: np.ndarray) -> float:
    counted = values[~np.isnan(values)]
    return float(100 * counted.mean()) if len(counted) else float('nan')


@dataclass(frozen=True)
class _Repair:
    """Predictions that become moments: ``becomes (Q, K, G)``, in the order of columns; those that
    are dropped ``(Q, K)``."""

    becomes: np.ndarray
    dropped: np.ndarray


def oracle_gains(questions: Questions, answers: Answers, profile: ErrorProfile) -> Gains:
    """Repair one class at a time, on the original list.

    ``duplicate``, ``background`` and ``null`` are removed. ``ranking``: matched predictions come
    first. ``localisation``: in order, becomes its best moment among those not found and not yet
    given away, else is removed. ``merged``: becomes the moments of its run that are not found.
    ``split``: the first of the pair becomes the moment, the second is removed. ``missed``: the
    moments are removed, and with them queries that have no other.
    """
    plain = np.full(len(questions), np.nan)
    everything = plain.copy()
    mended = {name: plain.copy() for name in MENDED}
    for rows, asked, given, classes in _parts(questions, answers, profile):
        gains = _gains_of_part(asked, given, classes)
        plain[rows], everything[rows] = gains.plain, gains.everything
        for name, values in gains.mended.items():
            mended[name][rows] = values
    return Gains(plain, mended, everything)


def _parts(
    questions: Questions, answers: Answers, profile: ErrorProfile
) -> Iterator[tuple[np.ndarray, Questions, Answers, ErrorProfile]]:
    """Queries of a similar number of moments, without the padding that others would need."""
    size = 2 ** np.ceil(np.log2(np.maximum(questions.count, 1))).astype(int)
    for width in np.unique(size):
        rows = np.flatnonzero(size == width)
        g = min(int(width), questions.mask.shape[1])
        # In order of time the padding comes last, so it can be cut there too.
        yield (
            rows,
            replace(questions, truth=questions.truth[rows, :g], mask=questions.mask[rows, :g]),
            replace(
                answers, windows=answers.windows[rows], mask=answers.mask[rows],
                iou=answers.iou[rows, :, :g],
            ),
            replace(
                profile, predictions=profile.predictions[rows], truth=profile.truth[rows, :g],
                taken=profile.taken[rows], runs=profile.runs[rows], partner=profile.partner[rows],
                pair_truth=profile.pair_truth[rows], by_time=profile.by_time[rows, :g],
            ),
        )  # fmt: skip


def _gains_of_part(questions: Questions, answers: Answers, profile: ErrorProfile) -> Gains:
    threshold = profile.found
    plain = ap_at(answers.iou, answers.mask, questions.mask, threshold)
    classes = {name: profile.predictions == i for i, name in enumerate(PREDICTION_CLASSES)}
    mended = {}
    repairs = {
        'localisation': _localisation(questions, answers, profile),
        'merged': _merged(questions, profile),
        'split': _split(questions, profile),
    }
    missed = profile.truth == TRUTH_CLASSES.index('missed')
    for name in MENDED:
        if name == 'missed':
            left = questions.mask & ~missed
            mended[name] = ap_at(answers.iou, answers.mask, left, threshold)
        elif name == 'ranking':
            order = np.argsort(profile.taken == NONE, axis=1, kind='stable')
            iou = np.take_along_axis(answers.iou, order[..., None], 1)
            mask = np.take_along_axis(answers.mask, order, 1)
            mended[name] = ap_at(iou, mask, questions.mask, threshold)
        elif name in repairs:
            mended[name] = plain.copy()
            # The other lists stay as they are.
            rows = np.flatnonzero(classes[name].any(1))
            if len(rows):
                mended[name][rows] = _applied(questions, answers, repairs[name], rows, threshold)
        else:
            left = answers.mask & ~classes[name]
            mended[name] = ap_at(answers.iou, left, questions.mask, threshold)
    return Gains(plain, mended, _everything(questions, answers, profile, repairs))


def _everything(
    questions: Questions, answers: Answers, profile: ErrorProfile, repairs: dict[str, _Repair]
) -> np.ndarray:
    """All repairs at once; moments that still are not found count as missed."""
    becomes = np.zeros_like(answers.iou, bool)
    given = np.zeros_like(questions.mask)
    for name in ('merged', 'split', 'localisation'):
        becomes |= repairs[name].becomes & ~given[:, None]
        given |= repairs[name].becomes.any(1)
    # What is neither matched nor becomes a moment is dropped.
    dropped = (profile.taken == NONE) & ~becomes.any(2)
    order = np.argsort(profile.taken == NONE, axis=1, kind='stable')
    ordered = replace(
        answers,
        mask=np.take_along_axis(answers.mask, order, 1),
        iou=np.take_along_axis(answers.iou, order[..., None], 1),
    )
    repair = _Repair(
        np.take_along_axis(becomes, order[..., None], 1), np.take_along_axis(dropped, order, 1)
    )
    found = matched_truth(profile.taken, given.shape[1]) | given
    left = replace(questions, mask=questions.mask & found)
    return _applied(left, ordered, repair, np.arange(len(found)), profile.found)


def _applied(
    questions: Questions, answers: Answers, repair: _Repair, rows: np.ndarray, threshold: float
) -> np.ndarray:
    """Average precision ``(R,)`` of some queries after a repair.

    Every prediction has a place of its own and, behind it, one per moment in order of time.
    """
    truth, real = questions.truth[rows], questions.mask[rows]
    before, becomes = answers.iou[rows], repair.becomes[rows]
    queries, ranks, moments = before.shape
    order = np.lexsort((truth[..., 1], truth[..., 0]), axis=1)  # (R, G)
    exact = np.nan_to_num(iou_matrix(truth, truth)) * (real[:, None] & real[..., None])
    # A moment without length overlaps nothing, not even itself; mending finds it all the same.
    exact = np.maximum(exact, np.eye(moments) * real[:, None])
    exact = np.take_along_axis(exact, order[..., None], 1)
    repeated = np.broadcast_to(exact[:, None], (queries, ranks, moments, moments))
    iou = np.concatenate((before[:, :, None], repeated), 2).reshape(queries, -1, moments)
    stays = answers.mask[rows] & ~repair.dropped[rows] & ~becomes.any(2)
    becomes = np.take_along_axis(becomes, order[:, None], 2)
    mask = np.concatenate((stays[..., None], becomes), 2).reshape(queries, -1)
    # Only as many places as the longest list needs.
    longest = max(1, int(mask.sum(1).max(initial=0)))
    front = np.argsort(~mask, axis=1, kind='stable')[:, :longest]
    iou = np.take_along_axis(iou, front[..., None], 1)
    return ap_at(iou, np.take_along_axis(mask, front, 1), real, threshold)


def _localisation(questions: Questions, answers: Answers, profile: ErrorProfile) -> _Repair:
    free = questions.mask & ~matched_truth(profile.taken, questions.mask.shape[1])
    wrong = profile.predictions == PREDICTION_CLASSES.index('localisation')
    becomes = np.zeros_like(answers.iou, bool)
    rows = np.arange(len(free))
    for rank in range(wrong.shape[1]):
        candidates = np.where(free & wrong[:, rank, None], answers.iou[:, rank], -np.inf)
        best = candidates.argmax(1)
        hit = candidates[rows, best] >= profile.touching
        becomes[rows[hit], rank, best[hit]] = True
        free[rows[hit], best[hit]] = False
    return _Repair(becomes, wrong & ~becomes.any(2))


def _merged(questions: Questions, profile: ErrorProfile) -> _Repair:
    free = questions.mask & ~matched_truth(profile.taken, questions.mask.shape[1])
    position = np.argsort(profile.by_time, axis=1)
    low, high = profile.runs[:, :, None, 0], profile.runs[:, :, None, 1]
    in_run = (low != NONE) & (position[:, None] >= low) & (position[:, None] <= high)  # (Q, K, G)
    wanted = in_run & free[:, None]
    becomes = wanted & (np.cumsum(wanted, axis=1) == 1)  # the first prediction gets a moment
    merged = profile.predictions == PREDICTION_CLASSES.index('merged')
    return _Repair(becomes, merged & ~becomes.any(2))


def _split(questions: Questions, profile: ErrorProfile) -> _Repair:
    moments = np.arange(questions.mask.shape[1])
    split = profile.predictions == PREDICTION_CLASSES.index('split')
    ranks = np.arange(split.shape[1])
    first = split & (profile.partner > ranks)
    wanted = first[..., None] & (profile.pair_truth[..., None] == moments)
    becomes = wanted & (np.cumsum(wanted, axis=1) == 1)
    return _Repair(becomes, split & ~becomes.any(2))
