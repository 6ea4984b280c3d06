# SPDX-License-Identifier: Apache-2.0
"""The results of all metrics of an evaluator as one table."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mmengine.evaluator import BaseMetric

from vtg.structures import MAIN, MetricTable, Quantity, unflatten_table

from .base import SELECTION, RecordMetric


@dataclass(frozen=True)
class Evaluated:
    """What an evaluation found.

    Attributes:
        table: The values by list and shown name.
        quantities: What the metrics declare, by shown name, in the order of tables.
        baselines: Values of constant predictions by their name, then by shown name.
        details: Nested results per list, of several metrics each under its prefix.
    """

    table: MetricTable
    quantities: tuple[Quantity, ...] = ()
    baselines: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


def gather(metrics: Sequence[BaseMetric], values: Mapping[str, float]) -> Evaluated:
    """Join the last results of metrics; names that mean something else elsewhere get the prefix.

    Args:
        metrics: Of one evaluator.
        values: Its result, for metrics that are no :class:`RecordMetric`.
    """
    table: MetricTable = {}
    quantities: dict[str, Quantity] = {}
    baselines: dict[str, dict[str, float]] = {}
    details: dict[str, Any] = {}
    own = [metric for metric in metrics if isinstance(metric, RecordMetric)]
    shared = Counter(name for metric in own for name in {*metric.table.get(MAIN, {})})
    for metric in own:

        def shown(name: str, metric: RecordMetric = metric) -> str:
            alone = not metric.qualified and shared[name] < 2
            return name if alone or not metric.prefix else f'{metric.prefix}/{name}'

        for group, found in metric.table.items():
            table.setdefault(group, {}).update({shown(k): v for k, v in found.items()})
        declared = (*metric.quantities, Quantity(SELECTION))
        for one in declared:
            quantities.setdefault(shown(one.name), _renamed(one, shown(one.name)))
        for name, found in metric.baselines.items():
            baselines.setdefault(name, {}).update({shown(k): v for k, v in found.items()})
        details |= metric.details if len(own) == 1 else {str(metric.prefix): metric.details}
    rest = {
        name: value
        for name, value in values.items()
        if not any(metric.prefix and name.startswith(f'{metric.prefix}/') for metric in own)
    }
    for group, found in unflatten_table(rest).items() if rest else ():
        table.setdefault(group, {}).update(found)
    # The number to select by stands last.
    last = quantities.pop(SELECTION, None)
    ordered = [*quantities.values(), *([last] if last else [])]
    return Evaluated(table, tuple(ordered), baselines, details)


def _renamed(quantity: Quantity, name: str) -> Quantity:
    return Quantity(name, quantity.headline, quantity.higher, quantity.unit)
