# SPDX-License-Identifier: Apache-2.0
"""Moment retrieval on data without graded highlights, as an MMEngine metric."""

from collections.abc import Mapping, Sequence
from typing import Any

from vtg.evaluation.functional import LENGTH_RANGES, evaluate_moment_retrieval
from vtg.registry import METRICS
from vtg.utils import ConfigError

from .base import Record
from .qvhighlights_metric import QVHighlightsMetric


@METRICS.register_module()
class MomentRetrievalMetric(QVHighlightsMetric):
    """R@1, mIoU and mAP: ``moments/MR-full-R1@0.5``, ``moments/MR-full-mIoU`` and so on.

    Scores per clip are neither kept nor evaluated. Further lists, ``nms`` and the attributes are
    those of :class:`QVHighlightsMetric`.

    Args:
        recall5: Add R@5 at IoU 0.3, 0.5 and 0.7.
        ranges: Name to ``(low, high)`` in seconds of the annotated windows, None for all. The
            default has those of QVHighlights; ``full`` is required.
        kwargs: See :class:`QVHighlightsMetric`.
    """

    default_prefix = 'moments'

    def __init__(
        self,
        recall5: bool = False,
        ranges: Mapping[str, Sequence[float] | None] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.recall5 = recall5
        self.ranges = dict(ranges or LENGTH_RANGES)
        if 'full' not in self.ranges:
            raise ConfigError('ranges of MomentRetrievalMetric needs the entry `full` (or None).')

    def official(self, prediction: Record) -> Record:
        """The record without scores per clip."""
        record = super().official(prediction)
        record.pop('pred_saliency_scores', None)
        return record

    def nested(self, predictions: list[Record], annotations: list[Record]) -> dict[str, Any]:
        """The nested result of one list, unrounded."""
        return evaluate_moment_retrieval(
            predictions, annotations, rounded=False, recall5=self.recall5, ranges=self.ranges
        )
