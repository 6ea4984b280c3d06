# SPDX-License-Identifier: Apache-2.0
"""What every metric does: collect records, write them, give a number to select by."""

import logging
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from vtg.evaluation.functional import has_windows
from vtg.evaluation.functional.records import OFFICIAL_FIELDS, UNANSWERED
from vtg.evaluation.records import ANSWER_FIELDS, to_records
from vtg.structures import MAIN, MetricTable, Prediction, Quantity, flatten_table
from vtg.utils import ConfigError, Record, nearest_names, write_jsonl

from .lists import further_lists

SELECTION = 'selection'


class RecordMetric(BaseMetric):
    """A metric over predictions and the annotations in ``data_batch['meta']``.

    The records of the predictions are made here. They are keyed by qid, so that samples repeated by
    a distributed sampler count once. A split without labels gives ``{}``; its predictions are kept
    all the same. Subclasses say what is labelled and evaluate one list of moments.

    Each evaluation sets these attributes in the main process.

    Attributes:
        predictions: Official records of the main list, in the order of the data.
        annotations: Their annotations, in the same order.
        alternatives: Official records without scores per clip by the name of further lists.
        table: The values by list and name; MMEngine gets them as
            :func:`vtg.structures.flatten_table` names them.
        details: The nested result per list, unrounded.
        baselines: The values of the predictions of :meth:`constant_predictions`, by their name.

    Args:
        digits: Round the values; None keeps them whole. The official model selection compares
            values rounded to 2. A metric without a value (moments of a length that no query has)
            is NaN, which no checkpoint is selected by.
        out_file: Where to write the predictions as JSON lines.
        selection: Weights by metric name. Their weighted mean is added as ``selection``, for
            ``save_best='selection'``; CG-DETR on Charades-STA: ``{'MR-full-R1@0.5': 1,
            'MR-full-R1@0.7': 1}``.
        alternatives: Also evaluate the further lists of the predictions.
        collect_device, prefix, collect_dir: See MMEngine's ``BaseMetric``.
    """

    fields: ClassVar[Sequence[str]] = OFFICIAL_FIELDS
    """What of a record is evaluated, kept and written."""
    queries: ClassVar[str] = 'queries without labels'
    """What the log calls a split that cannot be evaluated."""
    fill: ClassVar[bool] = True
    """Whether one window without length stands where a query has none."""
    empty_is_answer: ClassVar[bool] = False
    """Whether a prediction without windows says that there is no moment."""
    qualified: ClassVar[bool] = False
    """Whether reports show the prefix too, because the names mean something else elsewhere."""
    benchmarks: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Arguments by the name of a benchmark that is evaluated so, for command lines."""

    def __init__(
        self,
        digits: int | None = None,
        out_file: str | None = None,
        selection: Mapping[str, float] | None = None,
        alternatives: bool = False,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device, prefix, collect_dir)
        self.digits = digits
        self.out_file = out_file
        self.selection = dict(selection or {})
        self.use_alternatives = alternatives
        self.predictions: list[Record] = []
        self.annotations: list[Record] = []
        self.alternatives: dict[str, list[Record]] = {}
        self.table: MetricTable = {}
        self.details: dict[str, Any] = {}
        self.baselines: dict[str, dict[str, float]] = {}
        self.remarks = True  # whether what is unusual is logged

    @property
    def quantities(self) -> Sequence[Quantity]:
        """The numbers in the order of tables; others follow. Without any, all are shown in logs."""
        return ()

    def constant_predictions(self, annotations: list[Record]) -> dict[str, list[Record]]:
        """Predictions by name that know nothing of a query; their values are reported beside."""
        return {}

    def labelled(self, annotations: list[Record]) -> bool:
        """Whether there is anything to compare with."""
        raise NotImplementedError

    def evaluate_list(self, predictions: list[Record], annotations: list[Record]) -> dict[str, Any]:
        """The nested result of one list, unrounded."""
        raise NotImplementedError

    def values_of(self, details: dict[str, Any]) -> dict[str, float]:
        """The values by name that are reported, of a nested result."""
        return dict(details['brief'])

    def remark(self) -> None:
        """Log what is unusual about the evaluation of the main list; by default nothing is."""

    def process(self, data_batch: dict[str, Any], data_samples: Sequence[Prediction]) -> None:
        """Make the records of the predictions of a batch, and keep each with the raw annotation in
        ``data_batch['meta']``."""
        records = [item for batch in data_samples for item in to_records(batch, self.fill)]
        annotations = [meta.get('annotation') for meta in data_batch['meta']]
        if None in annotations:
            raise ConfigError(
                'evaluation needs the annotations, but the batches hold none; set test_mode=True '
                'in the dataset of val_dataloader and test_dataloader.'
            )
        self.add(records, annotations, [meta.get('index') for meta in data_batch['meta']])

    def add(
        self,
        records: Sequence[Record],
        annotations: Sequence[Record],
        places: Sequence[int | None] | None = None,
    ) -> None:
        """Keep records of predictions and their annotations, pair by pair.

        Args:
            records, annotations: As many of the one as of the other.
            places: Places of the samples in the dataset, where known: the order of the predictions.
        """
        places = [None] * len(records) if places is None else places
        for prediction, annotation, place in zip(records, annotations, places, strict=True):
            self.results.append(
                {'prediction': prediction, 'annotation': annotation, 'place': place}
            )

    def evaluate(self, size: int) -> dict[str, float]:
        """Evaluate everything that was processed.

        ``size`` is not used to cut the collected list: which entries are repetitions is decided
        by their qid, not by their place.
        """
        return super().evaluate(sys.maxsize)

    def compute_metrics(self, results: list[Record]) -> dict[str, float]:
        """Turn the collected records into metrics (plain floats, per cent).

        Raises:
            ConfigError: ``selection`` names a metric that there is not.
        """
        unique = list({result['prediction']['qid']: result for result in results}.values())
        places = [result.get('place') for result in unique]
        # Not the places of several datasets joined, which repeat.
        if None not in places and len({*places}) == len(places):
            unique.sort(key=lambda result: result['place'])
        records = [result['prediction'] for result in unique]
        self.annotations = [result['annotation'] for result in unique]
        kept = (*self.fields, *ANSWER_FIELDS, UNANSWERED)
        self.predictions = [{k: r[k] for k in kept if k in r} for r in records]
        self.alternatives = further_lists(records) if self.use_alternatives else {}
        self.table, self.details, self.baselines = {}, {}, {}
        if self.out_file:
            write_jsonl(self.out_file, self.predictions)
        if not self.labelled(self.annotations):
            print_log(
                f'{len(unique)} {self.queries}: predictions are kept, nothing is evaluated.',
                logger='current',
                level=logging.INFO,
            )
            return {}
        lists = {MAIN: self.predictions}
        if has_windows(self.annotations):
            lists |= self.alternatives
        for name, predictions in lists.items():
            self.details[name] = self.evaluate_list(predictions, self.annotations)
            self.table[name] = self.values_of(self.details[name])
        # The number to select by is that of the main list.
        self.table[MAIN] |= self._selected(self.table[MAIN])
        self.table = {name: self._rounded_values(values) for name, values in self.table.items()}
        self.baselines = {
            name: self._rounded_values(
                self.values_of(self.evaluate_list(constant, self.annotations))
            )
            for name, constant in self.constant_predictions(self.annotations).items()
        }
        if self.remarks:
            self.remark()
        return flatten_table(self.table)

    def _rounded_values(self, values: Mapping[str, float]) -> dict[str, float]:
        if self.digits is None:
            return dict(values)
        return {key: float(f'{value:.{self.digits}f}') for key, value in values.items()}

    def _selected(self, values: Mapping[str, float]) -> dict[str, float]:
        """The weighted mean; metrics without a value count 0, as in the official evaluators."""
        if not self.selection:
            return {}
        unknown = [name for name in self.selection if name not in values]
        if unknown:
            close = nearest_names(unknown[0], values) or sorted(values)
            raise ConfigError(
                f'selection of {type(self).__name__} names {unknown[0]!r}; choose '
                f'{" or ".join(close)}.'
            )
        known = {name: values[name] for name in self.selection if not math.isnan(values[name])}
        total = sum(self.selection[name] * value for name, value in known.items())
        return {SELECTION: total / sum(self.selection.values()) if known else math.nan}
