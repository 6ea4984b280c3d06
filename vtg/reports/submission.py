# SPDX-License-Identifier: Apache-2.0
"""Prediction files in the format of the QVHighlights evaluation server."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vtg.evaluation.functional import official_record, pad_rows
from vtg.evaluation.functional.records import index_by_qid, match_records
from vtg.utils import DataError, atomic_write, write_jsonl

SPLIT_SIZES = {'val': 1550, 'test': 1542}
"""Queries of the splits of QVHighlights that the server evaluates."""
_LONGEST = 150.0
_ROUNDING = 1e-3
# Archives of equal content are equal files.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def write_submission(path: str | Path, predictions: Sequence[dict[str, Any]]) -> Path:
    """Write one official record per query as JSON lines (gzip where the name ends in ``.gz``).

    Args:
        path: The file to write.
        predictions: Records with ``qid``, ``query``, ``vid``, ``pred_relevant_windows`` and, for
            highlight detection, ``pred_saliency_scores``; other fields are left out.

    Raises:
        DataError: A qid is missing or repeated, a query has no window, or a number is not finite.
    """
    records = [official_record(prediction) for prediction in predictions]
    _check(records)
    write_jsonl(path, records)
    return Path(path)


def write_submission_archive(
    folder: str | Path,
    predictions: Mapping[str, Sequence[dict[str, Any]]],
    annotations: Mapping[str, Sequence[dict[str, Any]]] | None = None,
) -> Path:
    """Write ``hl_<split>_submission.jsonl`` per split and ``submission.zip`` with all of them.

    The files lie at the top level of the archive, as the server wants ``val`` and ``test``. All
    splits are checked before anything is written.

    Args:
        folder: Where to write.
        predictions: Records by split, for example ``{'val': [...], 'test': [...]}``.
        annotations: The queries of each split, to compare with; see :func:`check_submission`.

    Returns:
        The path of the archive.

    Raises:
        DataError: See :func:`write_submission` and :func:`check_submission`.
    """
    folder = Path(folder)
    for split, records in predictions.items():
        _check([official_record(record) for record in records])
        if annotations:
            check_submission(records, annotations[split], split)
    files = [
        write_submission(folder / f'hl_{split}_submission.jsonl', records)
        for split, records in predictions.items()
    ]
    archive = folder / 'submission.zip'
    with atomic_write(archive) as temporary, zipfile.ZipFile(temporary, 'w') as target:
        for file in files:
            entry = zipfile.ZipInfo(file.name, _ZIP_TIME)
            entry.external_attr = 0o644 << 16
            target.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
    return archive


def check_submission(
    predictions: Sequence[dict[str, Any]],
    annotations: Sequence[dict[str, Any]],
    split: str,
    clip_length: float = 2.0,
) -> None:
    """Compare predictions with the queries of a split of QVHighlights.

    Args:
        predictions: Official records.
        annotations: Records with ``qid`` and ``duration`` in seconds; labels are not needed.
        split: Its name, for messages.
        clip_length: Seconds per score.

    Raises:
        DataError: The queries are not those of the split, windows are reversed or lie outside of
            the video, or there are more than one score too few or too many for its clips.
    """
    for record, truth in zip(*match_records(predictions, annotations)):
        where = f'submission for {split}, qid {record["qid"]!r}'
        # The official writers clamp to 150 s, whatever the video lasts.
        end = max(_LONGEST, float(truth['duration'])) + _ROUNDING
        for window in record.get('pred_relevant_windows') or []:
            if not -_ROUNDING <= window[0] <= window[1] <= end:
                raise DataError(
                    f'{where}: the window {list(window[:2])} does not lie in the video of '
                    f'{truth["duration"]:g} s; correct the predictions.'
                )
        scores, clips = record.get('pred_saliency_scores'), int(truth['duration'] / clip_length)
        # Features may have one clip more or fewer than the duration implies.
        if scores is not None and abs(len(scores) - clips) > 1:
            raise DataError(
                f'{where}: {len(scores)} scores for the {clips} clips of its video; a submission '
                f'has one per {clip_length:g} s.'
            )


def check_size(split: str, queries: int) -> None:
    """Raise :class:`DataError` where a split of QVHighlights has another number of queries."""
    if queries != SPLIT_SIZES[split]:
        other = next((name for name, size in SPLIT_SIZES.items() if size == queries), None)
        hint = f', as many as {other} has' if other else ''
        raise DataError(
            f'the {split} split of QVHighlights has {SPLIT_SIZES[split]} queries, but the config '
            f'reads {queries} for it{hint}; correct {split}_dataloader.dataset.ann_file, nothing '
            'was written for submission.'
        )


def _check(records: Sequence[dict[str, Any]]) -> None:
    qids = list(index_by_qid(records, 'prediction'))
    for field, width in (('pred_relevant_windows', 3), ('pred_saliency_scores', None)):
        present = [field in record for record in records]
        if not any(present):
            continue
        empty = [qid for qid, record in zip(qids, records) if not record.get(field)]
        if empty:
            raise DataError(
                f'qid {empty[0]!r} has no `{field}` but other predictions do; '
                'a submission needs them for every query.'
            )
        pad_rows([record[field] for record in records], qids, field, width)
