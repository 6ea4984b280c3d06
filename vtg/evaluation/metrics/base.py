# SPDX-License-Identifier: Apache-2.0
"""What the metrics share: collecting records, writing predictions, a number to select by."""

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.evaluator import BaseMetric

from vtg.evaluation.functional import official_record
from vtg.evaluation.records import Record, to_records
from vtg.structures import Prediction
from vtg.utils import ConfigError, nearest_names, write_jsonl

SELECTION = 'selection'


class RecordMetric(BaseMetric):
    """A metric over prediction records and the annotations in ``data_batch['meta']``.

    Records are keyed by qid, so that samples repeated by a distributed sampler count once.

    Attributes, set by each evaluation in the main process:
        predictions: Official records, in the order of the data.
        annotations: Their annotations, in the same order.
        details: Nested results, unrounded.

    Args:
        digits: Round the values; None keeps them whole. The official model selection compares
            values rounded to 2. A metric without a value (moments of a length that no query has)
            is NaN, which no checkpoint is selected by.
        out_file: Where to write the predictions as JSON lines.
        selection: Weights by metric name. Their weighted mean is added as ``selection``, for
            ``save_best='selection'``; CG-DETR on Charades-STA: ``{'MR-full-R1@0.5': 1,
            'MR-full-R1@0.7': 1}``.
        collect_device, prefix, collect_dir: See MMEngine's ``BaseMetric``.
    """

    def __init__(
        self,
        digits: int | None = None,
        out_file: str | None = None,
        selection: Mapping[str, float] | None = None,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device, prefix, collect_dir)
        self.digits = digits
        self.out_file = out_file
        self.selection = dict(selection or {})
        self.predictions: list[Record] = []
        self.annotations: list[Record] = []
        self.details: dict[str, Any] = {}

    def process(self, data_batch: dict[str, Any], data_samples: Sequence[Prediction]) -> None:
        """Make the records of the predictions of a batch, and keep each with the raw annotation in
        ``data_batch['meta']``."""
        records = [item for batch in data_samples for item in to_records(batch, fill=True)]
        self.add(records, [meta['annotation'] for meta in data_batch['meta']])

    def add(self, records: Sequence[Record], annotations: Sequence[Record]) -> None:
        """Keep records of predictions and their annotations, pair by pair."""
        for prediction, annotation in zip(records, annotations, strict=True):
            self.results.append({'prediction': prediction, 'annotation': annotation})

    def evaluate(self, size: int) -> dict[str, float]:
        """Evaluate everything that was processed.

        ``size`` is not used to cut the collected list: which entries are repetitions is decided
        by their qid, not by their place.
        """
        return super().evaluate(sys.maxsize)

    def take(self, results: list[Record]) -> tuple[list[Record], list[Record]]:
        """Return raw predictions and annotations, one per qid; keep and write the official ones."""
        unique = {result['prediction']['qid']: result for result in results}.values()
        raw = [result['prediction'] for result in unique]
        self.predictions = [self.official(prediction) for prediction in raw]
        self.details = {}
        if self.out_file:
            write_jsonl(self.out_file, self.predictions)
        self.annotations = [result['annotation'] for result in unique]
        return raw, self.annotations

    def official(self, prediction: Record) -> Record:
        """The record that is evaluated, kept and written."""
        return official_record(prediction)

    def finish(self, values: Mapping[str, float]) -> dict[str, float]:
        """Add the number to select by and round.

        Raises:
            ConfigError: ``selection`` names a metric that there is not.
        """
        values = dict(values)
        unknown = [name for name in self.selection if name not in values]
        if unknown:
            close = nearest_names(unknown[0], values) or sorted(values)
            raise ConfigError(
                f'selection of {type(self).__name__} names {unknown[0]!r}; choose '
                f'{" or ".join(close)}.'
            )
        if self.selection:
            values[SELECTION] = self._selected(values)
        digits = self.digits
        return {
            key: value if digits is None else float(f'{value:.{digits}f}')
            for key, value in values.items()
        }

    def _selected(self, values: Mapping[str, float]) -> float:
        """The weighted mean; metrics without a value count 0, as in the official evaluators."""
        known = {name: values[name] for name in self.selection if not math.isnan(values[name])}
        if not known:
            return math.nan
        total = sum(self.selection[name] * value for name, value in known.items())
        return total / sum(self.selection.values())
