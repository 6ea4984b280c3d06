# SPDX-License-Identifier: Apache-2.0
"""The original annotation files of TVSum and YouTube Highlights, one JSON object by video.

They hold videos that the JSON-lines files lack: UMT evaluates 157 validation videos of YouTube
Highlights, CG-DETR and its descendants the 152 whose features were released.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vtg.utils import DataError, read_json

from .annotations import Record, check_records

# Where the title of a video stands among the items of `info`.
_TITLE = 5


def read_video_ratings(
    path: str | Path, splits: str | Path | None = None, split: str = 'train'
) -> list[Record]:
    """Read an annotation file into records.

    Args:
        path: ``{vid: {fps, frames, domain, ...}}`` with either ``anno`` (a row of ratings per clip)
            and ``title``, or ``match`` (1, 0 or -1 per clip) and ``info``; plain or gzip.
        splits: ``{domain: {split: [vid, ...]}}``; None keeps all videos.
        split: Which of the splits.

    Returns:
        Records with ``qid`` = ``vid``, the title as ``query`` (the domain where it is blank),
        ``duration`` in seconds, ``label`` and ``domain``, in the order of the splits. Videos
        without annotation are left out. A clip of YouTube Highlights has the label 1 where
        ``match`` is 1, else 0.

    Raises:
        DataError: A file is missing, or a video lacks a field.
    """
    content = read_json(path)
    vids = list(content)
    if splits is not None:
        chosen = read_json(splits)
        vids = [vid for domain in chosen.values() for vid in domain.get(split, ())]
    records = [_record(vid, content[vid], path) for vid in vids if vid in content]
    check_records(records, path, required=('label', 'domain'))
    return records


def _record(vid: str, video: Mapping[str, Any], path: str | Path) -> Record:
    try:
        if 'anno' in video:
            query, label = video['title'], video['anno']
        else:
            query = video['info'][_TITLE]
            label = [[int(match > 0)] for match in video['match']]
        return {
            'qid': vid,
            'query': query if query.strip() else video['domain'],
            'vid': vid,
            'duration': float(video['frames']) / float(video['fps']),
            'relevant_windows': None,
            'label': label,
            'domain': video['domain'],
        }
    except (LookupError, TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
        raise DataError(
            f'{path}, video {vid!r}: expected fps, frames, domain and either anno and title or '
            f'match and info ({type(error).__name__}: {error}); get the file again.'
        ) from None
