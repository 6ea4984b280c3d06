# SPDX-License-Identifier: Apache-2.0
"""What metrics over lists of moments share."""

import logging
from collections.abc import Mapping, Sequence

from mmengine.logging import print_log

from vtg.evaluation.functional import survey_predictions
from vtg.evaluation.functional.records import OFFICIAL_FIELDS
from vtg.evaluation.functional.survey import REVERSED, UNSORTED
from vtg.utils import ConfigError, DataError, Record

WINDOWS, SCORES = 'pred_relevant_windows', 'pred_saliency_scores'
FIELDS = tuple(name for name in OFFICIAL_FIELDS if name != SCORES)
"""Those of a record without scores per clip."""
WARNED = (REVERSED, UNSORTED)

Limits = Sequence[float] | None


def further_lists(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Official records without scores per clip for every list in ``alternatives``.

    Raises:
        DataError: A record lacks a list that the first one has.
    """
    names = (records[0].get('alternatives') or {}) if records else {}
    return {name: [_of_list(record, name) for record in records] for name in names}


def _of_list(record: Record, name: str) -> Record:
    windows = (record.get('alternatives') or {}).get(name)
    if windows is None:
        raise DataError(
            f'qid {record["qid"]!r} has no result list {name!r} among its alternatives; '
            'every prediction must have the lists of the first.'
        )
    return {key: record[key] for key in FIELDS if key in record} | {WINDOWS: windows}


def checked_ranges(ranges: Mapping[str, Limits], kind: str) -> dict[str, Limits]:
    """Ranges of moment lengths, of which ``full`` is required.

    Raises:
        ConfigError: It is missing.
    """
    if 'full' not in ranges:
        raise ConfigError(f'ranges of {kind} needs the entry `full` (or None).')
    return dict(ranges)


def warn_unusual(predictions: Sequence[Record], annotations: Sequence[Record]) -> None:
    """Log what no working model predicts; it would only show as a low number."""
    for text, count in survey_predictions(predictions, annotations).items():
        if text in WARNED:
            print_log(f'{text}: {count}', logger='current', level=logging.WARNING)
