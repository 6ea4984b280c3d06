# SPDX-License-Identifier: Apache-2.0
"""Retrieval of several moments per query (QV-M2), as an MMEngine metric."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from vtg.evaluation.functional import LENGTH_RANGES, evaluate_multi_moment, has_windows
from vtg.registry import METRICS
from vtg.structures import Quantity
from vtg.utils import Record

from .base import RecordMetric
from .lists import FIELDS, checked_ranges, warn_unusual


@METRICS.register_module()
class MultiMomentMetric(RecordMetric):
    """``QVM2/G-mAP``, ``mAP@1_tgt``, ``mR@k`` and ``mIoU@k`` of QV-M2.

    See :func:`vtg.evaluation.functional.evaluate_multi_moment`.

    Args:
        ranks: The k.
        ranges: Name to ``(low, high)`` in seconds of the annotated windows, None for all; the
            details hold all of them, the table ``full``, which is required.
        kwargs: See :class:`RecordMetric`.
    """

    default_prefix = 'QVM2'
    fields = FIELDS
    fill = False
    qualified = True
    benchmarks: ClassVar = {'qvm2': {}}

    def __init__(
        self,
        ranks: Sequence[int] = (1, 2, 3),
        ranges: Mapping[str, Sequence[float] | None] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.ranks = tuple(ranks)
        self.ranges = checked_ranges(ranges or LENGTH_RANGES, type(self).__name__)

    @property
    def quantities(self) -> Sequence[Quantity]:
        """See :class:`RecordMetric`."""
        names = ['G-mAP', 'mAP@1_tgt', 'mAP@2_tgt', 'mAP@3+_tgt', 'mAP@3+_queries']
        names += [f'{name}@{k}' for name in ('mR', 'mIoU') for k in self.ranks]
        shown = ('G-mAP', f'mR@{self.ranks[-1]}')
        return [Quantity(name, headline=name in shown) for name in names]

    def labelled(self, annotations: list[Record]) -> bool:
        """Whether a query has moments."""
        return has_windows(annotations)

    def evaluate_list(self, predictions: list[Record], annotations: list[Record]) -> dict[str, Any]:
        """See :func:`vtg.evaluation.functional.evaluate_multi_moment`."""
        return evaluate_multi_moment(
            predictions, annotations, rounded=False, ranks=self.ranks, ranges=self.ranges
        )

    def remark(self) -> None:
        """Log windows that no working model predicts."""
        warn_unusual(self.predictions, self.annotations)
