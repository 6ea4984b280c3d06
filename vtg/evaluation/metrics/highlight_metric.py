# SPDX-License-Identifier: Apache-2.0
"""Highlight detection on data that rates every clip, as an MMEngine metric."""

import logging
from typing import Any, Literal

from mmengine.logging import print_log

from vtg.evaluation.functional import evaluate_clip_ranking
from vtg.registry import METRICS
from vtg.utils import ConfigError

from .base import Record, RecordMetric

MODES: dict[str, dict[str, Any]] = {
    'top5': {'top': 5, 'highlight': 'median'},
    'full': {'top': None, 'highlight': 'positive'},
}


@METRICS.register_module()
class HighlightMetric(RecordMetric):
    """Mean average precision of the ranked clips: ``highlights/HL-mAP``, in per cent.

    The mean runs over raters, then videos, then domains; ``details['main']`` holds the domains and
    videos. A split without ratings gives ``{}``.

    Args:
        mode: ``'top5'`` as on TVSum, ``'full'`` as on YouTube Highlights; see
            :func:`vtg.evaluation.functional.evaluate_clip_ranking`.
        without_positives: ``'zero'`` or ``'skip'``: videos without a retrievable highlight count
            as 0, or are left out. Both are published; the log says where they could differ.
        kwargs: See :class:`RecordMetric`.
    """

    default_prefix = 'highlights'

    def __init__(
        self, mode: str = 'full', without_positives: Literal['zero', 'skip'] = 'zero', **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if mode not in MODES:
            raise ConfigError(f'mode of HighlightMetric is one of {sorted(MODES)}, got {mode!r}.')
        if without_positives not in ('zero', 'skip'):
            raise ConfigError(
                f"without_positives of HighlightMetric is 'zero' or 'skip', got "
                f'{without_positives!r}.'
            )
        self.mode = mode
        self.without_positives = without_positives

    def official(self, prediction: Record) -> Record:
        """The record without windows, which this data has none to compare with."""
        record = super().official(prediction)
        record.pop('pred_relevant_windows', None)
        return record

    def compute_metrics(self, results: list[Record]) -> dict[str, float]:
        """Turn the collected records into metrics (plain floats, per cent)."""
        _, annotations = self.take(results)
        if not any(record.get('label') for record in annotations):
            print_log(
                f'{len(results)} videos without ratings: predictions are kept, nothing is '
                'evaluated.',
                logger='current',
                level=logging.INFO,
            )
            return {}
        options = {**MODES[self.mode], 'without_positives': self.without_positives}
        result = evaluate_clip_ranking(self.predictions, annotations, **options)
        self.details = {'main': result}
        if result['without_positives']:
            print_log(
                f'{result["without_positives"]} of {len(annotations)} videos have no '
                f'highlight among the ranked clips (without_positives={self.without_positives!r}).',
                logger='current',
                level=logging.WARNING,
            )
        return self.finish({'HL-mAP': result['HL-mAP']})
