# SPDX-License-Identifier: Apache-2.0
"""Prediction files in the format of the QVHighlights evaluation server."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vtg.evaluation.functional import official_record, pad_rows
from vtg.evaluation.functional.records import index_by_qid
from vtg.utils import DataError, atomic_write, write_jsonl

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
    folder: str | Path, predictions: Mapping[str, Sequence[dict[str, Any]]]
) -> Path:
    """Write ``hl_<split>_submission.jsonl`` per split and ``submission.zip`` with all of them.

    The files lie at the top level of the archive, as the server wants ``val`` and ``test``.

    Args:
        folder: Where to write.
        predictions: Records by split, for example ``{'val': [...], 'test': [...]}``.

    Returns:
        The path of the archive.

    Raises:
        DataError: See :func:`write_submission`.
    """
    folder = Path(folder)
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
