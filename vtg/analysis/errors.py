# SPDX-License-Identifier: Apache-2.0
"""What is wrong with predicted moments: a partition of predictions, moments and first answers.

After TIDE (Bolya et al., 2020) and DETAD (Alwassel et al., 2018), for queries with several moments.
A prediction falls into the first class that fits: ``null`` (the query has no moment), matched
(``correct``, or ``ranking`` where a wrong window stands before it), ``duplicate`` (its moment is
taken), ``merged`` (right if consecutive moments were one), ``split`` (right if joined with another
prediction), ``localisation`` (some overlap), ``background``.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from vtg.evaluation.functional import iou_matrix

from .arrays import Answers, Questions
from .matching import NONE, match, matched_truth

PREDICTION_CLASSES = (
    'correct', 'ranking', 'duplicate', 'merged', 'split', 'localisation', 'background', 'null',
)  # fmt: skip
TRUTH_CLASSES = ('found', 'merged', 'split', 'mislocalised', 'missed')
OUTCOMES = (
    'hit', 'ranking', 'duplicate', 'merged', 'split', 'localisation', 'background', 'null', 'empty',
)  # fmt: skip
_MOST = 1 << 20
"""Numbers that are held at once for the runs of moments."""


@dataclass(frozen=True)
class ErrorProfile:
    """Classes as indices of the names above; :data:`NONE` on padding.

    Attributes:
        found, touching: The IoU that finds a moment, and the least that is no background.
        predictions: ``(Q, K)`` of :data:`PREDICTION_CLASSES`.
        truth: ``(Q, G)`` of :data:`TRUTH_CLASSES`.
        outcome: ``(Q,)`` of :data:`OUTCOMES`, of the first answer.
        taken: ``(Q, K)`` annotated window that a prediction found, or :data:`NONE`.
        runs: ``(Q, K, 2)`` first and last moment, in order of time, that a merged one covers.
        partner: ``(Q, K)`` the other half of a split pair. pair_truth: ``(Q, K)`` its moment.
        by_time: ``(Q, G)`` annotated windows in order of start and end.
    """

    found: float
    touching: float
    predictions: np.ndarray
    truth: np.ndarray
    outcome: np.ndarray
    taken: np.ndarray
    runs: np.ndarray
    partner: np.ndarray
    pair_truth: np.ndarray
    by_time: np.ndarray

    def counts(self) -> dict[str, dict[str, int]]:
        """How many predictions, moments and first answers are in each class."""
        return {
            'predictions': _counted(self.predictions, PREDICTION_CLASSES),
            'truth': _counted(self.truth, TRUTH_CLASSES),
            'first': _counted(self.outcome, OUTCOMES),
        }


def _counted(classes: np.ndarray, names: tuple[str, ...]) -> dict[str, int]:
    numbers = np.bincount(classes[classes != NONE], minlength=len(names))
    return {name: int(number) for name, number in zip(names, numbers)}


def error_profile(
    questions: Questions, answers: Answers, found: float = 0.5, touching: float = 0.1
) -> ErrorProfile:
    """Put every prediction, every moment and every first answer into one class."""
    iou, mask = answers.iou, answers.mask
    best = answers.best
    taken = match(iou, mask, questions.mask, found)
    matched = np.asarray(taken != NONE)
    unmatched = mask & ~matched
    wrong_before = np.cumsum(unmatched, axis=1) > 0  # a matched one does not count itself
    null = mask & ~questions.asked[:, None]
    free = questions.mask & ~matched_truth(taken, questions.mask.shape[1])
    duplicate = unmatched & ~null & (best >= found)
    by_time = _by_time(questions)
    open_ = unmatched & ~null & ~duplicate
    runs = _merged_runs(questions, answers, open_, by_time, found)
    merged = runs[..., 0] != NONE
    partner, pair_truth = _split_pairs(questions, answers, open_ & ~merged, free, found, touching)
    split = partner != NONE
    name = PREDICTION_CLASSES.index
    classes = np.select(
        [~mask, null, matched & ~wrong_before, matched, duplicate, merged, split, best >= touching],
        [NONE, *map(name, ('null', 'correct', 'ranking', 'duplicate', 'merged', 'split',
                           'localisation'))],
        name('background'),
    )  # fmt: skip
    truth = _truth_classes(questions, answers, free, runs, pair_truth, by_time, touching)
    outcome = _outcomes(classes, mask, best, found)
    return ErrorProfile(
        found, touching, classes, truth, outcome, taken, runs, partner, pair_truth, by_time
    )


def _by_time(questions: Questions) -> np.ndarray:
    start = np.where(questions.mask, questions.truth[..., 0], np.inf)
    return np.lexsort((questions.truth[..., 1], start), axis=1)


def _merged_runs(
    questions: Questions, answers: Answers, open_: np.ndarray, by_time: np.ndarray, found: float
) -> np.ndarray:
    """``(Q, K, 2)``: the run of consecutive moments whose hull an open prediction fits best."""
    runs = np.full((*open_.shape, 2), NONE)
    several = questions.count >= 2
    query, rank = np.nonzero(open_ & several[:, None])
    if not len(query):
        return runs
    ordered = np.take_along_axis(questions.truth, by_time[..., None], 1)
    pairs = np.array(list(combinations(range(ordered.shape[1]), 2)))  # by first, then by last
    first, last = pairs.T
    # The latest end of the moments a, ..., b, which need not be that of b.
    latest = np.concatenate(
        [
            np.maximum.accumulate(ordered[:, a:, 1], axis=1)[:, 1:]
            for a in range(ordered.shape[1] - 1)
        ],
        axis=1,
    )  # (Q, R)
    hulls = np.stack((ordered[:, first, 0], latest), -1)  # (Q, R, 2)
    real = last < questions.count[:, None]
    size = max(1, _MOST // len(pairs))
    for begin in range(0, len(query), size):
        q, k = query[begin : begin + size], rank[begin : begin + size]
        iou = np.nan_to_num(iou_matrix(answers.windows[q, k][:, None], hulls[q])[:, 0])  # (N, R)
        iou = np.where(real[q], iou, -np.inf)
        run = iou.argmax(1)
        fits = iou[np.arange(len(q)), run] >= found
        runs[q[fits], k[fits]] = pairs[run[fits]]
    return runs


def _split_pairs(
    questions: Questions,
    answers: Answers,
    open_: np.ndarray,
    free: np.ndarray,
    found: float,
    touching: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Partner ``(Q, K)`` and moment ``(Q, K)`` of predictions that are halves of a free moment."""
    partner, target = np.full(open_.shape, NONE), np.full(open_.shape, NONE)
    # Only queries with two open predictions and a free moment can have a pair.
    chosen = np.flatnonzero((open_.sum(1) >= 2) & free.any(1))
    if not len(chosen):
        return partner, target
    windows, truth = answers.windows[chosen], questions.truth[chosen]
    free, left = free[chosen], open_[chosen].copy()
    length = windows[..., 1] - windows[..., 0]
    inter = np.minimum(windows[:, :, None, 1], truth[:, None, :, 1]) - np.maximum(
        windows[:, :, None, 0], truth[:, None, :, 0]
    )
    inside = (np.maximum(inter, 0) >= 0.5 * length[..., None]) & (length > 0)[..., None]
    among = np.nan_to_num(iou_matrix(windows, windows))  # (C, K, K)
    for x, y in combinations(range(left.shape[1]), 2):
        both = left[:, x] & left[:, y] & (among[:, x, y] < touching)
        rows = np.flatnonzero(both)
        if not len(rows):
            continue
        hull = np.stack(
            (
                np.minimum(windows[rows, x, 0], windows[rows, y, 0]),
                np.maximum(windows[rows, x, 1], windows[rows, y, 1]),
            ),
            -1,
        )
        iou = np.nan_to_num(iou_matrix(hull[:, None], truth[rows])[:, 0])  # (R, G)
        fits = free[rows] & (iou >= found) & inside[rows, x] & inside[rows, y]
        best = np.where(fits, iou, -np.inf).argmax(1)
        ok = fits.any(1)
        rows, best = rows[ok], best[ok]
        left[rows, x] = left[rows, y] = False
        partner[chosen[rows], x], partner[chosen[rows], y] = y, x
        target[chosen[rows], x] = target[chosen[rows], y] = best
    return partner, target


def _truth_classes(
    questions: Questions,
    answers: Answers,
    free: np.ndarray,
    runs: np.ndarray,
    pair_truth: np.ndarray,
    by_time: np.ndarray,
    touching: float,
) -> np.ndarray:
    position = np.argsort(by_time, axis=1)  # (Q, G): place of a moment in time
    low, high = runs[:, :, None, 0], runs[:, :, None, 1]
    in_run = ((low != NONE) & (position[:, None] >= low) & (position[:, None] <= high)).any(1)
    in_pair = (pair_truth[..., None] == np.arange(free.shape[1])).any(1)
    name = TRUTH_CLASSES.index
    return np.select(
        [~questions.mask, ~free, in_run, in_pair, (answers.iou >= touching).any(1)],
        [NONE, *map(name, ('found', 'merged', 'split', 'mislocalised'))],
        name('missed'),
    )


def _outcomes(classes: np.ndarray, mask: np.ndarray, best: np.ndarray, found: float) -> np.ndarray:
    name = OUTCOMES.index
    of_class = np.array([name('hit' if c == 'correct' else c) for c in PREDICTION_CLASSES])
    good = (best >= found) & mask
    return np.select(
        [~mask.any(1), good[:, 0], good.any(1)],
        [name('empty'), name('hit'), name('ranking')],
        of_class[classes[:, 0]],
    )
