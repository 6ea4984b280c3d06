# SPDX-License-Identifier: Apache-2.0
"""One number per query and metric, in per cent; NaN where a query does not count."""

import numpy as np

from vtg.evaluation.functional import (
    average_precision,
    grouped_average_precision,
    highlight_hits,
    top1_iou,
)

from .arrays import Answers, Questions

THRESHOLDS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
BEST = 4
"""The grade of a highlight: "very good"."""
MAIN = ('R1@0.5', 'R1@0.7', 'mIoU', 'mAP', 'HL-Hit1', 'HL-mAP')
HITS = ('R1@0.3', 'R1@0.5', 'R1@0.7', 'R5@0.5', 'HL-Hit1')
"""Metrics that are 0 or 100 for a query."""

Values = dict[str, np.ndarray]


def query_values(questions: Questions, answers: Answers) -> Values:
    """The values ``(Q,)`` of every metric; their means are those of the benchmarks.

    Queries without a moment do not count for moments, ungraded ones not for highlights; an answer
    without a window is a miss.

    Returns:
        ``R1@0.3``, ``R1@0.5``, ``R1@0.7``, ``R5@0.5``, ``mIoU`` (of the first window), ``mAP``
        (mean of the thresholds 0.5 to 0.95), ``mAP@0.5``, ``mAP@0.75``; with grades and scores of
        clips ``HL-Hit1`` and ``HL-mAP``, for clips graded 4 ("very good") by an annotator.
    """
    values: Values = {}
    asked = questions.asked
    # A file of clip scores alone says nothing about moments.
    if asked.any() and answers.mask.any():
        values |= _moment_values(questions, answers, asked)
    if questions.grades is not None and answers.scored.any():
        values |= _highlight_values(questions, answers)
    return values


def _moment_values(questions: Questions, answers: Answers, asked: np.ndarray) -> Values:
    iou, mask = answers.iou[asked], answers.mask[asked]
    truth, real = questions.truth[asked], questions.mask[asked]
    first = np.where(mask[:, 0], top1_iou(iou[:, 0], answers.windows[asked, 0], truth, real), 0.0)
    five = iou[:, :5].max((1, 2))
    precision = average_precision(iou, mask, real, np.array(THRESHOLDS))
    found = {f'R1@{t}': first >= t for t in (0.3, 0.5, 0.7)}
    found |= {'R5@0.5': five >= 0.5, 'mIoU': first, 'mAP': precision.mean(1)}
    found |= {f'mAP@{t}': precision[:, THRESHOLDS.index(t)] for t in (0.5, 0.75)}
    return {name: _spread(100.0 * value, asked) for name, value in found.items()}


def _highlight_values(questions: Questions, answers: Answers) -> Values:
    scored = questions.graded & np.asarray(answers.scored.any(1))
    labels = labels_of(questions, scored)
    clips = questions.clips[scored]
    hits = highlight_hits(
        answers.saliency[scored], answers.scored[scored], np.asarray(labels.any(2)), clips
    )
    precision = grouped_average_precision(fitted(answers, labels.shape[1])[scored], labels, clips)
    return {
        'HL-Hit1': _unscored(_spread(100.0 * hits, scored), questions),
        'HL-mAP': _unscored(_spread(100 * precision.mean(1), scored), questions),
    }


def labels_of(questions: Questions, rows: np.ndarray) -> np.ndarray:
    """``(R, L, A)``: clips that an annotator finds very good."""
    assert questions.grades is not None
    return np.asarray(questions.grades[rows] >= BEST)


def fitted(answers: Answers, clips: int) -> np.ndarray:
    """Scores ``(Q, clips)``: longer ones are cut, missing ones are 0, as officially."""
    scores = np.zeros((len(answers.saliency), clips))
    width = min(clips, answers.saliency.shape[1])
    scores[:, :width] = answers.saliency[:, :width]
    return scores


def _spread(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The values of some queries among those of all."""
    whole = np.full(len(rows), np.nan)
    whole[rows] = values
    return whole


def _unscored(values: np.ndarray, questions: Questions) -> np.ndarray:
    """A graded query without scores is a miss."""
    return np.where(questions.graded & np.isnan(values), 0.0, values)


def mean(values: np.ndarray) -> float:
    """The mean of the queries that count; NaN without any."""
    counted = values[~np.isnan(values)]
    return float(counted.mean()) if len(counted) else float('nan')


def means(values: Values) -> dict[str, float]:
    """The mean of every metric."""
    return {name: mean(column) for name, column in values.items()}


def first_hit(answers: Answers, found: float = 0.5) -> np.ndarray:
    """``(Q,)``: rank, from 1, of the first window that finds a moment; 0 without one."""
    hits = (answers.best >= found) & answers.mask
    return np.where(hits.any(1), hits.argmax(1) + 1, 0)


def recall_curve(
    questions: Questions, answers: Answers, thresholds: tuple[float, ...] = (0.3, 0.5, 0.7)
) -> dict[str, list[float]]:
    """R@k in per cent for k = 1, ..., K by threshold, over the queries with a moment.

    Any of the first k windows may find any moment; the last value is the oracle of the list.
    """
    best = np.maximum.accumulate(answers.best[questions.asked], axis=1)
    return {f'{t}': (100 * (best >= t).mean(0)).tolist() if len(best) else [] for t in thresholds}


def oracle_of_list(questions: Questions, answers: Answers) -> dict[str, float]:
    """What perfect ranking of the same windows would give: R1 and mIoU of the best of K.

    The rest to 100 is localisation: no window of the list finds the moment.
    """
    best = 100 * answers.best[questions.asked].max(1, initial=0)
    result = {f'R1@{t}': 100 * float((best >= 100 * t).mean()) for t in (0.3, 0.5, 0.7)}
    return {**result, 'mIoU': float(best.mean())} if len(best) else {}
