# SPDX-License-Identifier: Apache-2.0
"""What is wrong with the ranking of clips: a partition of clips and of best clips.

Own definitions, in the spirit of those for moments. A clip is positive where an annotator finds it
very good. Clips of a video fall into: ``positive``; ``graded``, a clip with a lower grade (the
right moment, not its best part); ``border``, no more than two clips beside a graded one;
``elsewhere``. The best clip of a query is a ``hit`` where it is positive (their share is HIT@1),
else of the class of the clip, or ``beyond`` where the score stands behind the end of the
video; ``constant`` where all scores are equal.
"""

from dataclasses import dataclass

import numpy as np

from vtg.evaluation.functional import grouped_average_precision

from .arrays import Answers, Questions
from .values import BEST, fitted

CLIP_CLASSES = ('positive', 'graded', 'border', 'elsewhere')
OUTCOMES = ('hit', 'graded', 'border', 'elsewhere', 'beyond', 'constant')
MENDED = CLIP_CLASSES[1:]
BORDER = 2
"""Clips beside a graded one."""


@dataclass(frozen=True)
class HighlightProfile:
    """Of the R graded queries with scores; only those with a positive clip have a precision.

    Attributes:
        rows: ``(R,)`` their numbers among all queries.
        clips: ``(R, L)`` index of :data:`CLIP_CLASSES`, -1 on padding.
        outcome: ``(R,)`` index of :data:`OUTCOMES`.
        plain: ``(R,)`` average precision in [0, 1] where a clip is positive for any annotator; NaN
            without a positive clip.
        mended: The same after the clips of one class are moved to the end of the list.
        everything: The same after those of all classes are.
    """

    rows: np.ndarray
    clips: np.ndarray
    outcome: np.ndarray
    plain: np.ndarray
    mended: dict[str, np.ndarray]
    everything: np.ndarray

    def counts(self) -> dict[str, dict[str, int]]:
        """How many clips and best clips are in each class."""
        clips = np.bincount(self.clips[self.clips >= 0], minlength=len(CLIP_CLASSES))
        first = np.bincount(self.outcome, minlength=len(OUTCOMES))
        return {
            'clips': dict(zip(CLIP_CLASSES, clips.tolist())),
            'first': dict(zip(OUTCOMES, first.tolist())),
        }

    def summary(self) -> dict[str, float]:
        """Gains of the mean, in points."""
        if np.isnan(self.plain).all():
            return {}
        plain = np.nanmean(self.plain)
        return {n: 100 * float(np.nanmean(v) - plain) for n, v in self.mended.items()}


def highlight_profile(questions: Questions, answers: Answers) -> HighlightProfile | None:
    """Put every clip and the best clip of every query into one class; None without grades."""
    if questions.grades is None or not answers.scored.any():
        return None
    rows = np.flatnonzero(questions.graded & answers.scored.any(1))
    grades = questions.grades[rows].max(2)  # (R, L)
    count = questions.clips[rows]
    real = np.arange(grades.shape[1]) < count[:, None]
    near = _near(grades > 0, BORDER)
    classes = np.select([~real, grades >= BEST, grades > 0, near], [-1, 0, 1, 2], 3)
    scores = fitted(answers, grades.shape[1])[rows]
    outcome = _outcomes(answers, rows, classes, count)
    positive = (classes == 0)[..., None]
    counted = positive.any((1, 2))

    def precision(last: np.ndarray) -> np.ndarray:
        moved = np.where(last, scores.min() - 1, scores)
        values = grouped_average_precision(moved, positive, count)[:, 0]
        return np.where(counted, values, np.nan)

    mended = {name: precision(classes == CLIP_CLASSES.index(name)) for name in MENDED}
    plain = precision(np.zeros_like(real))
    return HighlightProfile(rows, classes, outcome, plain, mended, precision(classes > 0))


def _near(marked: np.ndarray, distance: int) -> np.ndarray:
    """Clips ``(R, L)`` no further than ``distance`` from a marked one."""
    near = marked.copy()
    for step in range(1, distance + 1):
        near[:, step:] |= marked[:, :-step]
        near[:, :-step] |= marked[:, step:]
    return near


def _outcomes(
    answers: Answers, rows: np.ndarray, classes: np.ndarray, count: np.ndarray
) -> np.ndarray:
    raw = np.where(answers.scored[rows], answers.saliency[rows], -np.inf)
    best = raw.argmax(1)
    highest = raw.max(1)
    lowest = np.where(answers.scored[rows], answers.saliency[rows], np.inf).min(1)
    inside = best < count
    of_clip = classes[np.arange(len(rows)), np.where(inside, best, 0)]
    constant = (highest == lowest) & (answers.scored[rows].sum(1) > 1)
    return np.select([constant, ~inside], [OUTCOMES.index('constant'), OUTCOMES.index('beyond')],
                     of_clip)  # fmt: skip
