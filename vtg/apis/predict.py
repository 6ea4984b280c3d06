# SPDX-License-Identifier: Apache-2.0
"""Predictions for the queries of a file, labelled or not."""

from pathlib import Path
from typing import Any

from mmengine.config import Config

from vtg.engine.checkpoint import load_weights
from vtg.utils import ConfigError, check_output, check_replaceable, read_json_lines

from .test import evaluation_runner, test_in


def run_prediction(
    cfg: Config,
    checkpoint: str | Path,
    queries: str | Path,
    out: str | Path,
    amp: str | None = None,
) -> list[dict[str, Any]]:
    """Predict moments and clip scores of all queries of an annotation file.

    Args:
        cfg: A complete config; it is not changed. Its test dataset says where the features are and
            in which format the file is.
        checkpoint: Weights that fit the model exactly.
        queries: Annotation file; labels are not needed.
        out: JSON-lines file to write: ``qid``, ``query``, ``vid``, ``pred_relevant_windows``
            (``[[start_s, end_s, score], ...]``, best first), ``pred_saliency_scores``;
            ``pred_exist_score``, the probability that the query has a moment, where the model or
            its checkpoint tells; ``pred_answered``, whether it is above the threshold that the
            checkpoint carries, see :func:`vtg.apis.answering.choose_answering`.
        amp: ``'bf16'``, or ``'fp16'`` on a GPU.

    Returns:
        The records that were written.

    Raises:
        ConfigError: The config has no test data that is read from a file, or ``out`` is a file that
            is read, or exists and holds no predictions.
        DataError: The file or features are missing or wrong.
        CheckpointError: The checkpoint is missing, unsafe or does not fit.
    """
    check_output(out, [queries, checkpoint, cfg.filename])
    check_replaceable(out, holds_predictions, 'a file of predictions')
    cfg = cfg.copy()
    if not (cfg.get('test_dataloader') or {}).get('dataset', {}).get('ann_file'):
        raise ConfigError(
            'test_dataloader.dataset of the config reads no annotation file, so it cannot read '
            f'{queries}; use a config with data from files, such as configs/qd_detr/custom.py.'
        )
    # An absolute path is not joined to the data root.
    cfg.test_dataloader.dataset.ann_file = str(Path(queries).absolute())
    metric = cfg.test_evaluator[0] if isinstance(cfg.test_evaluator, list) else cfg.test_evaluator
    metric.out_file = str(out)
    runner = evaluation_runner(cfg, 'test')
    load_weights(runner.bare_model, checkpoint)
    test_in(runner, amp)
    return list(runner.test_evaluator.metrics[0].predictions)


def holds_predictions(path: Path) -> bool:
    """Whether the first line of a file is a prediction."""
    _, record, _ = next(read_json_lines(path))
    return record is not None and 'pred_relevant_windows' in record
