# SPDX-License-Identifier: Apache-2.0
"""Pairing predicted with annotated records."""

from collections.abc import Sequence
from typing import Any

from vtg.utils import DataError, Record, shown

OFFICIAL_FIELDS = ('qid', 'query', 'vid', 'pred_relevant_windows', 'pred_saliency_scores')

UNANSWERED = 'unanswered'
"""Field of a prediction that stands for none: highlight detection counts it 0."""


def official_record(prediction: Record) -> Record:
    """Keep the fields of the official submission format that ``prediction`` has, in order."""
    return {name: prediction[name] for name in OFFICIAL_FIELDS if name in prediction}


def index_by_qid(records: Sequence[Record], what: str) -> dict[Any, Record]:
    """Map qids to records.

    Raises:
        DataError: A record has no qid (an int or a string), or a qid occurs twice.
    """
    indexed: dict[Any, Record] = {}
    for number, record in enumerate(records, start=1):
        qid = record.get('qid')
        if isinstance(qid, bool) or not isinstance(qid, int | str):
            raise DataError(
                f'{what} record {number} has the qid {shown(qid)}; expected an integer or a string.'
            )
        if qid in indexed:
            raise DataError(
                f'qid {shown(qid)} occurs twice among the {what} records; keep one record per '
                'query.'
            )
        indexed[qid] = record
    return indexed


def match_records(
    predictions: Sequence[Record], annotations: Sequence[Record], subset_ok: bool = False
) -> tuple[list[Record], list[Record]]:
    """Pair predictions with annotations by qid, in the order of the annotations.

    Qids are compared as Python values: 7 and ``'7'`` differ.

    Args:
        predictions: Predicted records.
        annotations: Annotated records.
        subset_ok: Evaluate the common queries instead of refusing lists that differ.

    Raises:
        DataError: A qid is missing or repeated, the lists differ, or nothing is common.
    """
    predicted = index_by_qid(predictions, 'prediction')
    annotated = index_by_qid(annotations, 'annotation')
    common = [qid for qid in annotated if qid in predicted]
    missing = [qid for qid in annotated if qid not in predicted]
    surplus = [qid for qid in predicted if qid not in annotated]
    if not common or ((missing or surplus) and not subset_ok):
        raise DataError(_difference(missing, surplus, len(common)))
    return [predicted[qid] for qid in common], [annotated[qid] for qid in common]


def _difference(missing: list[Any], surplus: list[Any], common: int) -> str:
    parts = []
    if missing:
        parts.append(
            f'{len(missing)} annotated queries have no prediction (first {shown(missing[0])})'
        )
    if surplus:
        parts.append(f'{len(surplus)} predictions have no annotation (first {shown(surplus[0])})')
    if not parts:
        parts.append('there are no records')
    advice = (
        'expected the same queries; check the split, or count missing ones as wrong '
        '(--missing wrong)'
    )
    if not common:
        advice = 'nothing is common to both; check the split'
    if {str(qid) for qid in missing} & {str(qid) for qid in surplus}:
        advice = 'some qids are integers on one side and strings on the other; use one kind'
    return f'{" and ".join(parts)}; {advice}.'
