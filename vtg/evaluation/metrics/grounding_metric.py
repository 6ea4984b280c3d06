# SPDX-License-Identifier: Apache-2.0
"""Moment retrieval and highlight detection on own data, as an MMEngine metric."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from vtg.evaluation.functional import OPEN_RANGES, evaluate_grounding, has_windows
from vtg.registry import METRICS
from vtg.structures import Quantity
from vtg.utils import Record

from .base import RecordMetric
from .lists import checked_ranges, warn_unusual
from .quantities import HIGHLIGHTS, MOMENTS


@METRICS.register_module()
class GroundingMetric(RecordMetric):
    """R@1, mIoU and mAP of the moments, and the highlights where clips are graded.

    Args:
        recall5: Add R@5 at IoU 0.3, 0.5 and 0.7.
        ranges: Name to ``(low, high)`` in seconds of the annotated windows, None for all. The
            default has those of QVHighlights, ``long`` without an upper end; ``full`` is required.
        alternatives: Also evaluate the further lists of the predictions.
        kwargs: See :class:`RecordMetric`.
    """

    default_prefix = 'grounding'
    benchmarks: ClassVar = {'own': {}}

    def __init__(
        self,
        recall5: bool = False,
        ranges: Mapping[str, Sequence[float] | None] | None = None,
        alternatives: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(alternatives=alternatives, **kwargs)
        self.recall5 = recall5
        self.ranges = checked_ranges(ranges or OPEN_RANGES, type(self).__name__)

    @property
    def quantities(self) -> Sequence[Quantity]:
        """See :class:`RecordMetric`."""
        return MOMENTS + HIGHLIGHTS

    def labelled(self, annotations: list[Record]) -> bool:
        """Whether a query has moments or grades."""
        return has_windows(annotations) or any(r.get('saliency') for r in annotations)

    def evaluate_list(self, predictions: list[Record], annotations: list[Record]) -> dict[str, Any]:
        """See :func:`vtg.evaluation.functional.evaluate_grounding`."""
        return evaluate_grounding(
            predictions, annotations, rounded=False, recall5=self.recall5, ranges=self.ranges
        )

    def remark(self) -> None:
        """Log windows that no working model predicts."""
        warn_unusual(self.predictions, self.annotations)
