# SPDX-License-Identifier: Apache-2.0
"""One answer of several models, and the search for a post-processing, on stored predictions."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from vtg.evaluation.functional import iou_matrix

from .arrays import TOP, Answers, Questions, overlaps
from .values import mean, query_values

_FUSED_AT = 0.7


def fuse(
    questions: Questions,
    answers: Sequence[Answers],
    weights: Sequence[float] | None = None,
    least: float = _FUSED_AT,
    top: int = TOP,
    name: str = 'ensemble',
) -> Answers:
    """Weighted fusion of windows (after Solovyev et al., "Weighted boxes fusion", 2021).

    All windows of a query, best first, join the cluster of the highest IoU, or begin one. A
    cluster's window is the mean of its members weighted by score, its score the sum of theirs over
    the sum of the weights. Saliency is the weighted mean of curves that are brought to mean 0 and
    deviation 1.

    Args:
        questions: What was asked.
        answers: Of the models; a score counts ``weight * score``.
        weights: One per model; equal by default.
        least: IoU that joins a cluster.
        top: Windows that are kept.
        name: Of the result.
    """
    given = np.ones(len(answers)) if weights is None else np.asarray(weights, float)
    given = given / given.sum()
    windows = np.concatenate([one.windows for one in answers], 1)  # (Q, N, 2)
    mask = np.concatenate([one.mask for one in answers], 1)
    scores = np.concatenate([w * np.maximum(a.scores, 0) for w, a in zip(given, answers)], 1)
    order = np.argsort(np.where(mask, -scores, np.inf), axis=1, kind='stable')
    windows = np.take_along_axis(windows, order[..., None], 1)
    mask, scores = np.take_along_axis(mask, order, 1), np.take_along_axis(scores, order, 1)
    queries, number = mask.shape
    sums = np.zeros((queries, number, 2))  # of score times window
    weight = np.zeros((queries, number))
    used = np.zeros(queries, int)
    rows = np.arange(queries)
    for place in range(number):
        # A window of score 0 still has a place.
        heavy = np.maximum(scores[:, place], 1e-9)
        centres = sums / np.maximum(weight, 1e-12)[..., None]
        iou = np.nan_to_num(iou_matrix(windows[:, place, None], centres)[:, 0])  # (Q, N)
        iou = np.where(np.arange(number) < used[:, None], iou, -1)
        best = iou.argmax(1)
        joins = iou[rows, best] >= least
        target = np.where(joins, best, np.minimum(used, number - 1))
        real = mask[:, place]
        sums[rows[real], target[real]] += heavy[real, None] * windows[real, place]
        weight[rows[real], target[real]] += heavy[real]
        used += real & ~joins
    fused = sums / np.maximum(weight, 1e-12)[..., None]
    kept = np.arange(number) < used[:, None]
    order = np.argsort(np.where(kept, -weight, np.inf), axis=1, kind='stable')[:, :top]
    fused = np.take_along_axis(fused, order[..., None], 1)
    kept, weight = np.take_along_axis(kept, order, 1), np.take_along_axis(weight, order, 1)
    saliency, scored = _fused_saliency(answers, given)
    iou = overlaps(fused, kept, questions)
    return Answers(name, fused, np.minimum(weight, 1), kept, iou, saliency, scored)


def _fused_saliency(
    answers: Sequence[Answers], weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    width = max(one.saliency.shape[1] for one in answers)
    total = np.zeros((len(answers[0].saliency), width))
    shared = np.ones(total.shape, bool)
    for weight, one in zip(weights, answers):
        missing = ((0, 0), (0, width - one.saliency.shape[1]))
        values, scored = np.pad(one.saliency, missing), np.pad(one.scored, missing)
        if not scored.any():
            continue  # a model without saliency says nothing about it
        count = np.maximum(scored.sum(1, keepdims=True), 1)
        centred = np.where(scored, values - (values * scored).sum(1, keepdims=True) / count, 0)
        spread = np.sqrt((centred**2).sum(1, keepdims=True) / count)
        total += weight * centred / np.where(spread > 0, spread, 1)
        shared &= scored
    shared &= any(one.scored.any() for one in answers)
    return total, shared


@dataclass(frozen=True)
class Step:
    """A post-processing of stored windows.

    Attributes:
        clip: Move borders to multiples of so many seconds; 0 leaves them.
        suppress: IoU above which a window behind a better one is removed; 1 removes none.
        saliency: Power of the mean saliency inside of a window, as a share of its range in the
            video, by which its score is multiplied.
    """

    clip: float = 0.0
    suppress: float = 1.0
    saliency: float = 0.0

    def __str__(self) -> str:
        return f'clip {self.clip:g} s, NMS {self.suppress:g}, saliency {self.saliency:g}'


def steps(clip_length: float, with_saliency: bool) -> Iterator[Step]:
    """All combinations that are tried, the one that changes nothing first."""
    powers = (0.0, 0.25, 0.5, 1.0) if with_saliency else (0.0,)
    for clip, suppress, power in product((0.0, clip_length), (1.0, 0.9, 0.8, 0.7, 0.5), powers):
        yield Step(clip, suppress, power)


def apply_step(questions: Questions, answers: Answers, step: Step) -> Answers:
    """Post-process all answers."""
    windows, scores, mask = answers.windows, answers.scores, answers.mask
    if step.clip:
        rounded = np.round(windows / step.clip) * step.clip
        # A window that would vanish stays one clip long.
        short = rounded[..., 1] <= rounded[..., 0]
        rounded[..., 1] = np.where(short, rounded[..., 0] + step.clip, rounded[..., 1])
        windows = rounded
    if step.saliency:
        inside = _mean_saliency(answers, windows, questions.clip_length)
        scores = np.maximum(scores, 0) * np.maximum(inside, 1e-6) ** step.saliency
    order = np.argsort(np.where(mask, -scores, np.inf), axis=1, kind='stable')
    windows = np.take_along_axis(windows, order[..., None], 1)
    scores, mask = (np.take_along_axis(values, order, 1) for values in (scores, mask))
    if step.suppress < 1:
        mask = mask & ~_suppressed(windows, mask, step.suppress)
        order = np.argsort(~mask, axis=1, kind='stable')
        windows = np.take_along_axis(windows, order[..., None], 1)
        scores, mask = (np.take_along_axis(values, order, 1) for values in (scores, mask))
    windows, scores, mask = windows[:, :TOP], scores[:, :TOP], mask[:, :TOP]
    iou = overlaps(windows, mask, questions)
    return replace(answers, windows=windows, scores=scores, mask=mask, iou=iou)


def _mean_saliency(answers: Answers, windows: np.ndarray, clip_length: float) -> np.ndarray:
    """``(Q, K)``: mean saliency of the clips of a window, 0 to 1 over the video."""
    low = np.where(answers.scored, answers.saliency, np.inf).min(1, keepdims=True)
    high = np.where(answers.scored, answers.saliency, -np.inf).max(1, keepdims=True)
    span = np.where(np.isfinite(high - low) & (high > low), high - low, 1)
    scaled = np.where(answers.scored, (answers.saliency - np.where(np.isfinite(low), low, 0))
                      / span, 0)  # fmt: skip
    sums = np.pad(np.cumsum(scaled, 1), ((0, 0), (1, 0)))
    last = answers.scored.sum(1, keepdims=True)
    first = np.clip(np.floor(windows[..., 0] / clip_length), 0, np.maximum(last - 1, 0)).astype(int)
    stop = np.ceil(windows[..., 1] / clip_length)
    stop = np.clip(stop, first + 1, np.maximum(last, first + 1)).astype(int)
    stop = np.minimum(stop, scaled.shape[1])
    total = np.take_along_axis(sums, stop, 1) - np.take_along_axis(sums, first, 1)
    return total / np.maximum(stop - first, 1)


def _suppressed(windows: np.ndarray, mask: np.ndarray, least: float) -> np.ndarray:
    iou = np.nan_to_num(iou_matrix(windows, windows))
    gone = np.zeros_like(mask)
    for rank in range(mask.shape[1]):
        stays = (mask[:, rank] & ~gone[:, rank])[:, None]
        gone[:, rank + 1 :] |= stays & (iou[:, rank, rank + 1 :] > least)
    return gone


@dataclass(frozen=True)
class Search:
    """The best post-processing.

    Attributes:
        step: Chosen on all queries. before, after: The metric without and with it.
        honest: The metric where every half of the videos is processed as chosen on the other.
        table: All that was tried, with the metric.
    """

    step: Step
    before: float
    after: float
    honest: float
    table: list[tuple[Step, float]]


def search(
    questions: Questions, answers: Answers, metric: str = 'mAP', seed: int = 0,
    say: Callable[[str], None] = lambda text: None,
) -> Search:  # fmt: skip
    """Try post-processings of stored windows, without the model.

    Args:
        questions: What was asked. answers: With as many windows as the file has.
        metric: That is to be raised. seed: Of the halves of the videos.
        say: Gets a line per trial.
    """
    owner = np.unique(questions.videos, return_inverse=True)[1]
    half = np.random.default_rng(seed).random(owner.max() + 1)[owner] < 0.5
    tried, columns = list(steps(questions.clip_length, bool(answers.scored.any()))), []
    for step in tried:
        columns.append(query_values(questions, apply_step(questions, answers, step))[metric])
        say(f'{step}: {metric} {mean(columns[-1]):.2f}')
    table = np.stack(columns)  # (S, Q)
    best = int(np.nanmean(table, 1).argmax())
    chosen = [int(np.nanmean(table[:, ~part], 1).argmax()) for part in (half, ~half)]
    honest = mean(np.where(half, table[chosen[0]], table[chosen[1]]))
    scores = [mean(row) for row in table]
    return Search(tried[best], scores[0], scores[best], honest, list(zip(tried, scores)))
