# SPDX-License-Identifier: Apache-2.0
"""The QVHighlights evaluation as an MMEngine metric."""

from collections.abc import Sequence
from typing import Any, ClassVar

from vtg.evaluation.functional import evaluate_qvhighlights, has_windows
from vtg.registry import METRICS
from vtg.structures import Quantity
from vtg.utils import Record

from .base import RecordMetric
from .lists import warn_unusual
from .quantities import HIGHLIGHTS, MOMENTS


@METRICS.register_module()
class QVHighlightsMetric(RecordMetric):
    """Moment retrieval and highlight detection with the official numbers of QVHighlights.

    Keys are ``qvhighlights/<name>`` with the names of the official brief result, for example
    ``qvhighlights/MR-full-mAP`` and ``qvhighlights/HL-min-VeryGood-Hit1``. Every further list of
    moments adds the MR names with the list's name behind them: ``qvhighlights/MR-full-mAP-detr``.
    Annotations without saliency give MR only.

    Args:
        alternatives: Also evaluate the further lists of the predictions.
        extended: Add mIoU and R@1 at IoU 0.3.
        kwargs: See :class:`RecordMetric`.
    """

    default_prefix = 'qvhighlights'
    benchmarks: ClassVar = {'qvhighlights': {}}

    def __init__(self, alternatives: bool = True, extended: bool = True, **kwargs: Any) -> None:
        super().__init__(alternatives=alternatives, **kwargs)
        self.extended = extended

    @property
    def quantities(self) -> Sequence[Quantity]:
        """See :class:`RecordMetric`."""
        return MOMENTS + HIGHLIGHTS

    def labelled(self, annotations: list[Record]) -> bool:
        """Whether a query has moments or saliency."""
        return has_windows(annotations) or any(r.get('saliency_scores') for r in annotations)

    def evaluate_list(self, predictions: list[Record], annotations: list[Record]) -> dict[str, Any]:
        """See :func:`vtg.evaluation.functional.evaluate_qvhighlights`."""
        return evaluate_qvhighlights(
            predictions, annotations, rounded=False, extended=self.extended
        )

    def remark(self) -> None:
        """Log windows that no working model predicts."""
        warn_unusual(self.predictions, self.annotations)
