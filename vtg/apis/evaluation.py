# SPDX-License-Identifier: Apache-2.0
"""The evaluation of prediction files, of this or any other code base."""

import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vtg.evaluation.functional import (
    RecordError,
    evaluate_grounding,
    evaluate_qvhighlights,
    match_records,
    pack_rows,
    survey_predictions,
)
from vtg.utils import DataError, check_clip_length, read_json, read_json_lines, shown

Record = dict[str, Any]
_FIELDS = ('pred_relevant_windows', 'pred_saliency_scores')
_PIECE = 4096
"""Records that are packed together."""
_OWN_FIELDS = ('video', 'windows', 'saliency')


@dataclass(frozen=True)
class RecordFile:
    """The records of a file.

    Attributes:
        path: The file.
        records: As they are, or for annotations in the format for own data, with the internal
            names.
        places: ``'line 3'`` of every record.
        own_format: Whether the records are in the format for own data.
    """

    path: Path
    records: list[Record]
    places: list[str]
    own_format: bool = False

    def where(self, qid: Any) -> str:
        """File and place of the record of a query."""
        for record, place in zip(self.records, self.places):
            if record.get('qid') == qid:
                return f'{self.path}, {place}'
        return str(self.path)


@dataclass(frozen=True)
class FileEvaluation:
    """The unrounded nested result, and what is unusual about the files with its count."""

    result: dict[str, Any]
    notes: dict[str, int]


def evaluate_files(
    predictions: str | Path,
    annotations: str | Path,
    *,
    extended: bool = False,
    subset_ok: bool = False,
    clip_length: float = 2.0,
) -> FileEvaluation:
    """Evaluate a prediction file against an annotation file.

    Both are JSON lines or one JSON list, plain or ``.gz``. Annotations in the format of
    QVHighlights are evaluated as the official evaluator does, those in the format for own data
    (:mod:`vtg.datasets.custom_format`) as ``GroundingMetric`` does. Numbers must be numbers:
    text, truth values, NaN and infinity are refused, as are repeated and missing queries. What the
    official evaluator takes but a reader should know is counted in the notes.

    Args:
        predictions: Records in the official format.
        annotations: Labelled records.
        extended: Add mIoU and R@1 from IoU 0.3 to the official result.
        subset_ok: Evaluate the queries that both files have.
        clip_length: Seconds per clip.

    Raises:
        DataError: A file cannot be read, a record is wrong (names file and line), the queries
            differ, or nothing is labelled.
        ConfigError: The clip length is no number of seconds.
    """
    check_clip_length(clip_length, 'the clip length')
    truth = read_annotations(annotations, clip_length)
    predicted = read_predictions(predictions)
    pairs = match_records(predicted.records, truth.records, subset_ok)
    try:
        if truth.own_format:
            result = evaluate_grounding(*pairs, rounded=False)
        else:
            result = evaluate_qvhighlights(*pairs, rounded=False, extended=extended)
        notes = survey_predictions(*pairs, clip_length)
    except RecordError as error:
        side = predicted if error.field.startswith('pred_') else truth
        place = f'{side.where(error.qid)} (qid {shown(error.qid)})'
        raise DataError(f'{place}: `{error.field}` {error.problem}') from None
    sizes = [len(part) for part in (pairs[0], truth.records, predicted.records)]
    if len(set(sizes)) > 1:
        text = f'queries that both files have ({sizes[1]} annotated, {sizes[2]} predicted)'
        notes = {text: sizes[0], **notes}
    return FileEvaluation(result, notes)


def read_predictions(path: str | Path) -> RecordFile:
    """Read predictions; every record has a qid of its own, and all have the same lists."""
    path = Path(path)
    places, records = _read(path, _packed)
    _check_qids(path, places, records)
    for name in _FIELDS:
        given = [record.get(name) is not None for record in records]
        if any(given) and not given[0]:
            raise DataError(
                f'{path}, {places[0]} has no `{name}`, but {places[given.index(True)]} has; write '
                'them for every query or for none.'
            )
    return RecordFile(path, records, places)


def read_annotations(path: str | Path, clip_length: float = 2.0) -> RecordFile:
    """Read annotations in the format of QVHighlights or that for own data."""
    path = Path(path)
    places, records = _read(path)
    own = any('vid' not in record and set(_OWN_FIELDS) & set(record) for record in records)
    if own:
        records = list(_own_records(path, places, records, clip_length))
    _check_qids(path, places, records)
    return RecordFile(path, records, places, own)


def _packed(records: list[Record]) -> None:
    """Keep of predictions what is evaluated, and the numbers of many queries in one array."""
    for record in records:
        for name in record.keys() - {'qid', 'vid', *_FIELDS}:
            del record[name]
    for field, width in zip(_FIELDS, (3, None)):
        pack_rows(records, field, width)


def _read(
    path: Path, pack: Callable[[list[Record]], None] = lambda records: None
) -> tuple[list[str], list[Record]]:
    """Places and records of JSON lines or of a JSON list; ``pack`` makes them smaller in place, a
    few thousand at a time."""
    places: list[str] = []
    records: list[Record] = []
    if _holds_list(path):
        for number, record in enumerate(read_json(path), start=1):
            if not isinstance(record, dict):
                raise DataError(
                    f'{path}, record {number}: expected a JSON object, got '
                    f'{type(record).__name__}; the list must hold one record in braces per query.'
                )
            places.append(f'record {number}')
            records.append(record)
        pack(records)
        return places, records
    for number, record, problem in read_json_lines(path):
        if record is None:
            raise DataError(f'{path}, line {number}: {problem}')
        places.append(f'line {number}')
        records.append(record)
        if len(records) % _PIECE == 0:
            pack(records[-_PIECE:])
    pack(records[len(records) // _PIECE * _PIECE :])
    return places, records


def _holds_list(path: Path) -> bool:
    """Whether the first character is a bracket; what cannot be read is left to the reader."""
    try:
        with (gzip.open if path.suffix == '.gz' else open)(path, 'rb') as file:
            return file.read(1024).lstrip(b'\xef\xbb\xbf \t\r\n').startswith(b'[')
    except (OSError, EOFError):
        return False


def _check_qids(path: Path, places: list[str], records: list[Record]) -> None:
    seen: dict[Any, str] = {}
    for record, place in zip(records, places):
        qid = record.get('qid')
        if isinstance(qid, bool) or not isinstance(qid, int | str):
            raise DataError(
                f'{path}, {place}: the qid is {shown(qid)}; expected an integer or a string.'
            )
        first = seen.setdefault(qid, place)
        if first != place:
            raise DataError(
                f'{path}, {place}: the qid {shown(qid)} occurs twice, first in {first}; keep one '
                'record per query.'
            )


def _own_records(
    path: Path, places: list[str], records: list[Record], clip_length: float
) -> Iterator[Record]:
    # With it come the loaders and PyTorch, which the official formats need not wait for.
    from vtg.datasets.custom_format import problems_of, to_record

    stem = path.name.split('.')[0]
    for record, place in zip(records, places):
        for problem in problems_of(record, clip_length):
            raise DataError(f'{path}, {place}: {problem}')
        yield to_record(record, record.get('qid', f'{stem}-{place.split()[1]}'))
