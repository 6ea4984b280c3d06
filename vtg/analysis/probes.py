# SPDX-License-Identifier: Apache-2.0
"""What a number is worth without looking: answers that ignore the video or the sentence.

After Otani et al., "Uncovering hidden challenges in query-based video moment retrieval", 2020.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .arrays import TOP, Answers, Questions, make_questions, overlaps

_GRID = 20
"""Steps of the relative start and end of a moment of the prior."""
_MOST = 20_000
"""Moments of the training split that are looked at."""


def moment_prior(training: Sequence[dict[str, Any]], top: int = TOP, least: float = 0.5,
                 seed: int = 0) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Windows that fit the moments of a training split best, whatever the video and the query.

    Candidates are relative windows on a grid; each in turn is the one that finds most of the
    moments (IoU of ``least``) that those before it have not found.

    Args:
        training: Annotations with ``duration`` and ``relevant_windows``.
        top: Windows. least: IoU that finds a moment. seed: Of the draw among too many moments.

    Returns:
        Relative windows ``(K, 2)`` in [0, 1], and the share of the moments that each adds ``(K,)``.
    """
    questions = make_questions(training)
    known = questions.duration > 0
    truth = questions.truth[known] / questions.duration[known, None, None]
    moments = truth[questions.mask[known]]
    if len(moments) > _MOST:
        moments = moments[np.random.default_rng(seed).choice(len(moments), _MOST, replace=False)]
    steps = np.arange(_GRID + 1) / _GRID
    first, last = np.triu_indices(_GRID + 1, 1)
    grid = np.stack((steps[first], steps[last]), 1)  # (C, 2)
    inter = np.minimum(grid[:, None, 1], moments[None, :, 1]) - np.maximum(
        grid[:, None, 0], moments[None, :, 0]
    )
    inter = np.maximum(inter, 0)
    length = grid[:, 1] - grid[:, 0]
    union = length[:, None] + (moments[:, 1] - moments[:, 0]) - inter
    finds = inter >= least * union  # (C, N)
    open_ = np.ones(len(moments), bool)
    chosen, shares = [], []
    for _ in range(min(top, len(grid))):
        added = (finds & open_).sum(1)
        best = int(added.argmax())
        chosen.append(grid[best])
        shares.append(float(added[best]) / max(len(moments), 1))
        open_ &= ~finds[best]
        finds[best] = False
    return np.array(chosen), np.array(shares)


def prior_answers(
    questions: Questions, windows: np.ndarray, shares: np.ndarray, name: str = 'moment prior'
) -> Answers:
    """The same relative windows for every query; their shares are the scores."""
    placed = windows[None] * questions.duration[:, None, None]  # (Q, K, 2)
    mask = np.ones(placed.shape[:2], bool)
    scores = np.broadcast_to(shares, mask.shape)
    return _without_saliency(name, placed, scores, mask, questions)


def shuffled_answers(
    questions: Questions, answers: Answers, within_video: bool, seed: int = 0
) -> tuple[Answers, np.ndarray]:
    """Every query gets the answer to another.

    Within a video the model sees the right video and reads a wrong sentence; what remains of a
    metric is owed to the video and to habits. Across videos the windows are placed by their share
    of the video, and only habits remain.

    Returns:
        The answers, and the queries that got another's ``(Q,)`` (within a video, those of videos
        with several queries).
    """
    rng = np.random.default_rng(seed)
    source = np.arange(len(questions))
    if within_video:
        owner = np.unique(questions.videos, return_inverse=True)[1]
        # Within a video every query takes the answer of the next one, in an order by chance.
        order = np.lexsort((rng.random(len(owner)), owner))
        begins = np.r_[True, np.diff(owner[order]) > 0]
        number = np.cumsum(begins) - 1
        firsts = np.flatnonzero(begins)
        sizes = np.diff(np.r_[firsts, len(order)])
        place = np.arange(len(order)) - firsts[number]
        source[order] = order[firsts[number] + (place + 1) % sizes[number]]
        scale = np.ones(len(questions))
    else:
        # One cycle through all queries in an order by chance: nobody keeps the own answer.
        order = rng.permutation(len(questions))
        source[order] = np.roll(order, 1)
        known = (questions.duration > 0) & (questions.duration[source] > 0)
        scale = np.where(
            known, questions.duration / np.where(known, questions.duration[source], 1), 1
        )
    windows = answers.windows[source] * scale[:, None, None]
    name = f'{answers.name}, shuffled {"within videos" if within_video else "across videos"}'
    shuffled = _without_saliency(
        name, windows, answers.scores[source], answers.mask[source], questions
    )
    return shuffled, source != np.arange(len(source))


def _without_saliency(
    name: str, windows: np.ndarray, scores: np.ndarray, mask: np.ndarray, questions: Questions
) -> Answers:
    nothing = np.zeros((len(questions), 1))
    iou = overlaps(windows, mask, questions)
    return Answers(name, windows, scores, mask, iou, nothing, nothing > 0)
