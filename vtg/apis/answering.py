# SPDX-License-Identifier: Apache-2.0
"""Choosing when a trained model says that no moment matches a query."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config

from vtg.engine.checkpoint import load_weights, read_checkpoint
from vtg.evaluation.functional import best_scores, choose_threshold, fit_logistic, has_moment
from vtg.structures import Answering
from vtg.utils import ConfigError, DataError, atomic_write, check_output, check_replaceable

from .test import evaluation_runner, test_in


@dataclass(frozen=True)
class ChosenAnswering:
    """What was chosen and how good it is on that split.

    Attributes:
        answering: As the checkpoint carries it.
        queries, without: Queries of the split, and those without a moment.
        value: What the threshold maximises, per cent.
        reject_all: The same where every query is rejected.
        auroc: Per cent.
    """

    answering: Answering
    queries: int
    without: int
    value: float
    reject_all: float
    auroc: float

    def __str__(self) -> str:
        found, kind = self.answering, self.answering.chosen_by.replace('_', ' ')
        source = 'given by the model' if found.slope is None else 'calibrated from the best score'
        return (
            f'threshold {found.threshold:.4f} of the probability {source}, chosen on '
            f'{found.split} ({self.queries} queries, {self.without} without a moment): {kind} '
            f'{self.value:.2f}; rejecting every query has {self.reject_all:.2f}; AUROC '
            f'{self.auroc:.2f}'
        )


def choose_answering(
    cfg: Config,
    checkpoint: str | Path,
    split: str = 'val',
    by: str = 'balanced_accuracy',
    out: str | Path | None = None,
    amp: str | None = None,
) -> ChosenAnswering:
    """Choose the threshold below which a query counts as one without a moment, and store it.

    Where no component of the model gives the probability that a query has a moment, it is
    calibrated from the score of the best moment first.

    Args:
        cfg: A complete config; it is not changed.
        checkpoint: Weights that fit the model exactly.
        split: ``'val'`` or ``'test'``: on whose queries.
        by: See :func:`vtg.evaluation.functional.choose_threshold`.
        out: Checkpoint to write; by default ``checkpoint`` itself gets the result.
        amp: ``'bf16'``, or ``'fp16'`` on a GPU.

    Raises:
        ConfigError: The config has no such split, the model finds no moments, or ``out`` exists
            and is no checkpoint.
        DataError: The split has no queries of one kind, or unlabelled ones.
        CheckpointError: The checkpoint is missing, unsafe or does not fit.
    """
    if out is not None:
        check_output(out, [checkpoint, cfg.filename])
        check_replaceable(out, _written_here, 'a checkpoint of this tool')
    runner = evaluation_runner(cfg, split)
    model = runner.bare_model
    load_weights(model, checkpoint)
    model.answering = None  # what an earlier choice calibrated does not count
    test_in(runner, amp)
    metric = runner.test_evaluator.metrics[0]
    exists = has_moment(metric.annotations)
    calibration, scores = _probabilities(metric.predictions, exists)
    choice = choose_threshold(scores, exists, by)
    answering = Answering(choice.threshold, *calibration, chosen_by=by, split=split)
    _store(checkpoint, checkpoint if out is None else out, answering)
    per_cent = (100 * value for value in choice[1:])
    return ChosenAnswering(answering, len(exists), int((~exists).sum()), *per_cent)


def _probabilities(
    predictions: list[dict[str, Any]], exists: np.ndarray
) -> tuple[tuple[float | None, float | None], np.ndarray]:
    """Slope and intercept of the calibration, if one is needed, and probabilities ``(N,)``."""
    if all('pred_exist_score' in record for record in predictions):
        return (None, None), np.array([record['pred_exist_score'] for record in predictions])
    if not all('pred_relevant_windows' in record for record in predictions):
        raise ConfigError(
            'the model gives neither a probability that a query has a moment nor moments whose '
            'scores could be calibrated; add an ExistenceHead to model.auxiliary.'
        )
    best = best_scores(predictions)
    found = ~np.isnan(best)
    if not (exists[found].any() and (~exists[found]).any()):
        raise DataError(
            'the model finds moments for queries of one kind only, so their scores cannot be '
            'calibrated; train it longer.'
        )
    slope, intercept = fit_logistic(best[found], exists[found])
    logits = np.where(found, slope * np.nan_to_num(best) + intercept, -np.inf)
    return (slope, intercept), np.exp(-np.logaddexp(0, -logits)).round(4)


def _store(source: str | Path, target: str | Path, answering: Answering) -> None:
    """Write a copy of a checkpoint with ``answering`` in its ``meta``."""
    stored = read_checkpoint(source)
    if 'state_dict' not in stored:
        stored = {'state_dict': stored}
    stored['meta'] = {**stored.get('meta', {}), 'answering': asdict(answering)}
    with atomic_write(target) as temporary:
        torch.save(stored, temporary)


def _written_here(path: Path) -> bool:
    return 'answering' in read_checkpoint(path)['meta']
