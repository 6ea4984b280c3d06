# SPDX-License-Identifier: Apache-2.0
"""The original annotation files of TVSum and YouTube Highlights, one JSON object by video.

They hold videos that the JSON-lines files lack: UMT evaluates 157 validation videos of YouTube
Highlights, CG-DETR and its descendants the 152 whose features were released.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vtg.utils import DataError, Record, has_words, is_number, read_json, shown

from .annotations import check_records

# Where the title of a video stands among the items of `info`.
_TITLE = 5
# What `match` holds, and the label of the clip.
_LABELS = {'1': 1, '0': 0, '-1': 0}


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
    content = _mapping(read_json(path), path, 'videos')
    vids = list(content)
    if splits is not None:
        vids = _split(splits, split)
    records = [_record(vid, content[vid], path) for vid in vids if vid in content]
    check_records(records, path, required=('label', 'domain'))
    return records


def _mapping(content: Any, path: str | Path, what: str) -> Mapping[str, Any]:
    if not isinstance(content, dict):
        raise DataError(f'{path} holds {shown(content)}; expected an object with the {what}.')
    return content


def _split(path: str | Path, split: str) -> list[str]:
    vids: list[str] = []
    for domain, chosen in _mapping(read_json(path), path, 'domains').items():
        names = chosen.get(split, []) if isinstance(chosen, dict) else None
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise DataError(
                f'{path}, domain {shown(domain)}: {split} is {shown(chosen)}; expected a list of '
                'video names by split.'
            )
        vids += names
    return vids


def _record(vid: str, video: Any, path: str | Path) -> Record:
    try:
        if 'anno' in video:
            query, label = video['title'], video['anno']
        else:
            query = video['info'][_TITLE]
            label = [[_LABELS[str(match)]] for match in video['match']]
        domain = video['domain']
        if not isinstance(domain, str) or not has_words(domain):
            raise ValueError(f'domain is {shown(domain)}')
        return {
            'qid': vid,
            'query': query if has_words(query) else domain,
            'vid': vid,
            'duration': _positive(video, 'frames') / _positive(video, 'fps'),
            'relevant_windows': None,
            'label': label,
            'domain': domain,
        }
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise DataError(
            f'{path}, video {shown(vid)}: expected fps, frames, domain and either anno and title '
            f'or match and info ({type(error).__name__}: {str(error)[:100]}); get the file again.'
        ) from None


def _positive(video: Mapping[str, Any], name: str) -> float:
    """A number of the file, which is text in some releases."""
    value = video[name]
    number = float(value) if isinstance(value, str) else value
    if not is_number(number, low=1e-3):
        raise ValueError(f'{name} is {shown(value)}')
    return float(number)
