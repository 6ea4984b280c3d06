# SPDX-License-Identifier: Apache-2.0
"""The result of an evaluation: list of moments, name of the metric, value; and its border to
MMEngine, which knows flat names only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from vtg.utils import ConfigError

MetricTable: TypeAlias = dict[str, dict[str, float]]
"""``{list: {name: value}}``; the reported list comes first and is called :data:`MAIN`."""
MAIN = 'main'


@dataclass(frozen=True)
class Quantity:
    """What a metric says of one of its numbers; logs, reports and sweeps go by it.

    Attributes:
        name: As in the table of the metric.
        headline: Shown where there is room for a few numbers: logs of training, sweeps.
        higher: Whether more is better.
        unit: ``'%'``, or what the number counts.
    """

    name: str
    headline: bool = False
    higher: bool = True
    unit: str = '%'


def flatten_table(table: MetricTable) -> dict[str, float]:
    """Name the values as logs and ``save_best`` do: ``name``, for further lists ``name-list``.

    Raises:
        ConfigError: Two names could not be told apart afterwards; lists have no other metrics than
            the main one.
    """
    flat = {
        name if group == MAIN else f'{name}-{group}': value
        for group, values in table.items()
        for name, value in values.items()
    }
    if unflatten_table(flat) != {group: values for group, values in table.items() if values}:
        raise ConfigError(
            f'the metrics {", ".join(flat)} cannot be told apart by list; give lists and ranges of '
            'the evaluator names that are not the end of others.'
        )
    return flat


def unflatten_table(values: Mapping[str, float]) -> MetricTable:
    """Undo :func:`flatten_table`, and MMEngine's prefixes (``qvhighlights/``) with it.

    A value belongs to a further list where the main one has the metric that its name begins with.
    """
    flat = {key.rpartition('/')[2]: value for key, value in values.items()}
    table: MetricTable = {}
    for key, value in flat.items():
        cuts = [place for place, sign in enumerate(key) if sign == '-' and key[:place] in flat]
        name, group = (key[: cuts[0]], key[cuts[0] + 1 :]) if cuts else (key, MAIN)
        table.setdefault(group, {})[name] = value
    return table
