# SPDX-License-Identifier: Apache-2.0
"""Highlight detection on data that rates every clip, as an MMEngine metric."""

import logging
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from mmengine.logging import print_log

from vtg.evaluation.functional import evaluate_clip_ranking
from vtg.evaluation.functional.records import OFFICIAL_FIELDS
from vtg.registry import METRICS
from vtg.structures import MAIN, Quantity
from vtg.utils import ConfigError, Record

from .base import RecordMetric

MODES: dict[str, dict[str, Any]] = {
    'top5': {'top': 5, 'highlight': 'median'},
    'full': {'top': None, 'highlight': 'positive'},
}


@METRICS.register_module()
class HighlightMetric(RecordMetric):
    """Mean average precision of the ranked clips: ``highlights/HL-mAP``, in per cent.

    The mean runs over raters, then videos, then domains; ``details['main']`` holds the domains and
    videos.

    Args:
        mode: ``'top5'`` as on TVSum, ``'full'`` as on YouTube Highlights; see
            :func:`vtg.evaluation.functional.evaluate_clip_ranking`.
        without_positives: ``'zero'`` or ``'skip'``: videos without a retrievable highlight count
            as 0, or are left out. Both are published; the log says where they could differ.
        kwargs: See :class:`RecordMetric`.
    """

    default_prefix = 'highlights'
    benchmarks: ClassVar = {'tvsum': {'mode': 'top5'}, 'youtube': {'mode': 'full'}}

    # This data has no windows to compare with.
    fields = tuple(name for name in OFFICIAL_FIELDS if name != 'pred_relevant_windows')
    queries = 'videos without ratings'

    def __init__(
        self, mode: str = 'full', without_positives: Literal['zero', 'skip'] = 'zero', **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if mode not in MODES:
            raise ConfigError(f'mode of HighlightMetric is one of {sorted(MODES)}, got {mode!r}.')
        self.mode = mode
        self.without_positives = without_positives

    @property
    def quantities(self) -> Sequence[Quantity]:
        """See :class:`RecordMetric`."""
        return (Quantity('HL-mAP', headline=True),)

    def labelled(self, annotations: list[Record]) -> bool:
        """Whether a video has ratings."""
        return any(record.get('label') for record in annotations)

    def evaluate_list(self, predictions: list[Record], annotations: list[Record]) -> dict[str, Any]:
        """See :func:`vtg.evaluation.functional.evaluate_clip_ranking`."""
        options = {**MODES[self.mode], 'without_positives': self.without_positives}
        return evaluate_clip_ranking(predictions, annotations, **options)

    def values_of(self, details: dict[str, Any]) -> dict[str, float]:
        """The mean over the domains."""
        return {'HL-mAP': details['HL-mAP']}

    def remark(self) -> None:
        """Log where the two ways to count videos without a retrievable highlight could differ."""
        missing = self.details[MAIN]['without_positives']
        if missing:
            print_log(
                f'{missing} of {len(self.annotations)} videos have no '
                f'highlight among the ranked clips (without_positives={self.without_positives!r}).',
                logger='current',
                level=logging.WARNING,
            )
