# SPDX-License-Identifier: Apache-2.0
"""Whether scores say how good a moment is."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.stats import rankdata

from vtg.utils import DataError

from .arrays import Answers

BINS = 15
_EDGE = 1e-6


@dataclass(frozen=True)
class Calibration:
    """Of a set of N predictions with scores in [0, 1].

    Attributes:
        share: Of the queries that have such a prediction.
        score, precision, iou: Means of score, of whether IoU reaches the threshold, and of IoU.
        ece, mce: Mean and largest distance of score and precision over bins of equal width.
        ece_mass: The mean over bins of equal size.
        iou_ece: As ``ece``, with the IoU in the place of the precision.
        brier: Mean squared distance of score and hit.
        spearman: Rank correlation of score and IoU; NaN where one of them is constant.
        temperature: That divides the logits for the least log loss on the same predictions.
        table: ``(B, 4)``: per bin predictions, mean score, precision, mean IoU; NaN without any.
    """

    share: float
    score: float
    precision: float
    iou: float
    ece: float
    mce: float
    ece_mass: float
    iou_ece: float
    brier: float
    spearman: float
    temperature: float
    table: np.ndarray

    @property
    def count(self) -> int:
        """N."""
        return int(self.table[:, 0].sum())

    @property
    def over(self) -> float:
        """By how much scores exceed the precision."""
        return self.score - self.precision


def calibration(
    answers: Answers, first_only: bool, threshold: float = 0.5, bins: int = BINS,
    sigmoid: bool = False,
) -> Calibration:  # fmt: skip
    """Compare scores with what became of the windows.

    Args:
        answers: Of a model.
        first_only: Look at the first window of every query, not at all.
        threshold: IoU of a hit.
        bins: Number of bins.
        sigmoid: Scores are logits.

    Raises:
        DataError: Scores lie outside of [0, 1].
    """
    mask = answers.mask[:, :1] if first_only else answers.mask
    width = mask.shape[1]
    score = _probabilities(answers.scores[:, :width][mask], answers.name, sigmoid)
    u = answers.best[:, :width][mask]
    share = float(answers.mask.any(1).mean()) if len(answers.mask) else 0.0
    return _calibrated(score, (u >= threshold).astype(float), u, share, bins)


def existence_calibration(
    answers: Answers, exists: np.ndarray, bins: int = BINS, sigmoid: bool = False
) -> Calibration:
    """Compare the probability of a moment with whether there is one, ``exists (Q,)``.

    Raises:
        DataError: See :func:`calibration`.
    """
    score = _probabilities(answers.existence, answers.name, sigmoid)
    return _calibrated(score, exists.astype(float), exists.astype(float), 1.0, bins)


def _probabilities(score: np.ndarray, name: str, sigmoid: bool) -> np.ndarray:
    if sigmoid:
        score = 1 / (1 + np.exp(-score))
    if len(score) and (score.min() < 0 or score.max() > 1):
        raise DataError(
            f'scores of {name} reach from {score.min():g} to {score.max():g}, which are no '
            'probabilities; say --sigmoid where they are logits.'
        )
    return score


def _calibrated(
    score: np.ndarray, y: np.ndarray, u: np.ndarray, share: float, bins: int
) -> Calibration:
    place = np.minimum((score * bins).astype(int), bins - 1)
    number = np.bincount(place, minlength=bins)
    with np.errstate(invalid='ignore'):
        rows = [np.bincount(place, v, minlength=bins) / number for v in (score, y, u)]
    table = np.stack((number, *rows), 1)
    weight = number / max(len(score), 1)
    gap, iou_gap = (np.nan_to_num(np.abs(rows[column] - rows[0])) for column in (1, 2))
    order = np.argsort(-score, kind='stable')
    parts = [part for part in np.array_split(order, bins) if len(part)]
    mass = sum(len(p) * abs(y[p].mean() - score[p].mean()) for p in parts) / max(len(score), 1)
    empty = float('nan')
    return Calibration(
        share=share,
        score=float(score.mean()) if len(score) else empty,
        precision=float(y.mean()) if len(score) else empty,
        iou=float(u.mean()) if len(score) else empty,
        ece=float((weight * gap).sum()),
        mce=float(gap.max()),
        ece_mass=float(mass),
        iou_ece=float((weight * iou_gap).sum()),
        brier=float(((score - y) ** 2).mean()) if len(score) else empty,
        spearman=spearman(score, u),
        temperature=_temperature(score, y),
        table=table,
    )


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Rank correlation with average ranks; NaN where one side is constant."""
    if len(a) < 2 or a.min() == a.max() or b.min() == b.max():
        return float('nan')
    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])


def _temperature(score: np.ndarray, y: np.ndarray) -> float:
    if not len(score) or y.min() == y.max():
        return float('nan')
    clipped = np.clip(score, _EDGE, 1 - _EDGE)
    logit = np.log(clipped / (1 - clipped))

    def loss(log_t: float) -> float:
        z = logit / np.exp(log_t)
        return float((np.logaddexp(0, z) - y * z).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-4, 6), method='bounded').x))


def saliency_in_windows(answers: Answers, windows: np.ndarray, mask: np.ndarray,
                        clip_length: float) -> np.ndarray:  # fmt: skip
    """How well saliency tells clips inside of windows from those outside.

    Args:
        answers: Of a model.
        windows: ``(Q, W, 2)`` seconds. mask: ``(Q, W)`` True on windows.
        clip_length: Seconds per clip.

    Returns:
        ``(Q,)`` area under the ROC curve, 0.5 for chance; NaN where all clips lie on one side.
    """
    middle = (np.arange(answers.saliency.shape[1]) + 0.5) * clip_length
    inside = (middle >= windows[..., :1]) & (middle < windows[..., 1:]) & mask[..., None]
    inside = inside.any(1) & answers.scored
    # Scores of padding are last and count nowhere.
    ranks = rankdata(np.where(answers.scored, answers.saliency, np.inf), axis=1)
    positive = inside.sum(1)
    negative = answers.scored.sum(1) - positive
    area = np.where(inside, ranks, 0).sum(1) - positive * (positive + 1) / 2
    with np.errstate(divide='ignore', invalid='ignore'):
        return np.where((positive > 0) & (negative > 0), area / (positive * negative), np.nan)
