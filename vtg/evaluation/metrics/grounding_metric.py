# SPDX-License-Identifier: Apache-2.0
"""Moment retrieval and highlight detection on own data, as an MMEngine metric."""

from collections.abc import Mapping, Sequence
from typing import Any

from vtg.evaluation.functional import OPEN_RANGES, evaluate_grounding, official_record
from vtg.registry import METRICS

from .base import Record
from .moment_retrieval_metric import MomentRetrievalMetric


@METRICS.register_module()
class GroundingMetric(MomentRetrievalMetric):
    """R@1, mIoU and mAP of the moments, and the highlights where clips are graded.

    See :func:`vtg.evaluation.functional.evaluate_grounding`.

    Args:
        ranges: See :class:`MomentRetrievalMetric`; ``long`` has no upper end by default.
        kwargs: See :class:`MomentRetrievalMetric`.
    """

    default_prefix = 'grounding'

    def __init__(
        self, ranges: Mapping[str, Sequence[float] | None] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(ranges=ranges or OPEN_RANGES, **kwargs)

    def official(self, prediction: Record) -> Record:
        """The record with windows and scores per clip."""
        return official_record(prediction)

    def labelled(self, annotations: list[Record]) -> bool:
        """Whether there is anything to compare with."""
        return super().labelled(annotations) or any(r.get('saliency') for r in annotations)

    def nested(self, predictions: list[Record], annotations: list[Record]) -> dict[str, Any]:
        """The nested result of one list, unrounded."""
        return evaluate_grounding(
            predictions, annotations, rounded=False, recall5=self.recall5, ranges=self.ranges
        )
