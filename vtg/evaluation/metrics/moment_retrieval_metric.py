# SPDX-License-Identifier: Apache-2.0
"""Moment retrieval on data without graded highlights, as an MMEngine metric."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from vtg.evaluation.functional import LENGTH_RANGES, evaluate_moment_retrieval, has_windows
from vtg.registry import METRICS
from vtg.structures import Quantity
from vtg.utils import Record

from .base import RecordMetric
from .lists import FIELDS, checked_ranges, warn_unusual
from .quantities import MOMENTS


@METRICS.register_module()
class MomentRetrievalMetric(RecordMetric):
    """R@1, mIoU and mAP: ``moments/MR-full-R1@0.5``, ``moments/MR-full-mIoU`` and so on.

    Scores per clip are neither kept nor evaluated. Further lists add their name, as in
    :class:`~vtg.evaluation.metrics.QVHighlightsMetric`.

    Args:
        recall5: Add R@5 at IoU 0.3, 0.5 and 0.7.
        ranges: Name to ``(low, high)`` in seconds of the annotated windows, None for all. The
            default has those of QVHighlights; ``full`` is required.
        alternatives: Also evaluate the further lists of the predictions.
        kwargs: See :class:`RecordMetric`.
    """

    default_prefix = 'moments'
    benchmarks: ClassVar = {
        'charades_sta': {},
        'tacos': {},
        'activitynet': {'recall5': True},
        'clotho_moment': {},
        'castella': {},
        'unav100': {},
        'tut2017': {},
    }
    fields = FIELDS

    def __init__(
        self,
        recall5: bool = False,
        ranges: Mapping[str, Sequence[float] | None] | None = None,
        alternatives: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(alternatives=alternatives, **kwargs)
        self.recall5 = recall5
        self.ranges = checked_ranges(ranges or LENGTH_RANGES, type(self).__name__)

    @property
    def quantities(self) -> Sequence[Quantity]:
        """See :class:`RecordMetric`."""
        return MOMENTS

    def labelled(self, annotations: list[Record]) -> bool:
        """Whether a query has moments."""
        return has_windows(annotations)

    def evaluate_list(self, predictions: list[Record], annotations: list[Record]) -> dict[str, Any]:
        """See :func:`vtg.evaluation.functional.evaluate_moment_retrieval`."""
        return evaluate_moment_retrieval(
            predictions, annotations, rounded=False, recall5=self.recall5, ranges=self.ranges
        )

    def remark(self) -> None:
        """Log windows that no working model predicts."""
        warn_unusual(self.predictions, self.annotations)
