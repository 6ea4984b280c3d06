# SPDX-License-Identifier: Apache-2.0
"""Annotations in the formats in which benchmarks were published become files in the common one."""

import inspect
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vtg.datasets.annotations import Line
from vtg.datasets.census import Census
from vtg.datasets.repair import Tolerance
from vtg.formats import AnnotationFormat, find_format, read_lengths, recognise
from vtg.utils import (
    ConfigError,
    DataError,
    Record,
    check_output,
    check_replaceable,
    is_number,
    read_jsonl,
    shown,
    write_jsonl,
)

from .validate import mended_records


@dataclass(frozen=True)
class Converted:
    """What a conversion gave.

    Attributes:
        records: In the common format, mended.
        census: What the file held and what was done about it.
    """

    records: list[Record]
    census: Census


def convert_annotations(
    name: str,
    source: str | Path,
    out: str | Path | None = None,
    *,
    windows: Literal['strict', 'repair'] = 'repair',
    qid: Literal['unique', 'renumber'] | None = None,
    clip_length: float | None = None,
    **options: Any,
) -> Converted:
    """Read a file in a published format, mend its known faults and write JSON lines.

    Args:
        name: Of the format, see :func:`vtg.formats.formats`.
        source: The file, plain or gzip.
        out: The result, read strictly by every dataset; None writes nothing.
        windows: ``'strict'`` refuses faults instead.
        qid: Number the records anew and keep the old ids as ``text_key``; None does so where ids
            repeat because they name the text.
        clip_length: Seconds per clip; that of the published features where it is not given.
        options: Of the format; None stands for its default.

    Raises:
        ConfigError: The format or an option is unknown, or ``out`` may not be written.
        DataError: The file has another format, or a fault that is not mended. Nothing is written.
    """
    cls, source = find_format(name), Path(source)
    if out is not None:
        out = check_output(out, [source])
    reader = cls(**_known(name, cls, options))
    records = _read(name, reader, source)
    if qid is None:
        counts = Counter(str(record.get('qid')) for record in records)
        repeated = len(counts) < len(records)
        qid = 'renumber' if cls.qid_names_text and repeated else 'unique'
    tolerance = Tolerance(
        windows,
        qid,
        reversed_windows=cls.reversed_windows,
        zero_window=cls.zero_window,
        white_space=cls.white_space,
    )
    lines = (Line(number, record, []) for number, record in enumerate(records, start=1))
    try:
        mended, census = mended_records(
            source, lines, clip_length or cls.clip_length, tolerance, 'record'
        )
    except DataError as error:
        if 'is already used' in str(error):
            raise DataError(f'{error} --qid renumber numbers all records anew.') from None
        raise
    if out is not None:
        check_replaceable(out, lambda path: read_jsonl(path) == mended, 'the same conversion')
        write_jsonl(out, mended)
    return Converted(mended, census)


def _known(name: str, cls: type[AnnotationFormat], options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given, if the format has them."""
    takes = list(inspect.signature(cls).parameters)
    given = {key: value for key, value in options.items() if value is not None}
    for key in given:
        if key not in takes:
            known = ', '.join(f'--{key.replace("_", "-")}' for key in takes if key != 'lengths')
            raise ConfigError(
                f'the format {name} has no use for --{key.replace("_", "-")}; its own options: '
                f'{known or "none"}.'
            )
    return given


def _read(name: str, reader: AnnotationFormat, source: Path) -> list[Record]:
    """Read all records; where that fails, say which format the file looks like."""
    try:
        records = list(reader.read(source))
    except DataError as error:
        other = recognise(source)
        if other is None or type(reader) is find_format(other):
            raise
        raise DataError(f'{str(error).rstrip(".")}; the file looks like {other}.') from None
    if not records:
        raise DataError(f'{source} holds no record; expected {reader.title}.')
    return records


def lengths_from(
    table: str | Path | None = None, videos: str | Path | None = None
) -> Callable[[str], float] | None:
    """Return the seconds of a video by its id, from a csv or from the videos; None for neither.

    Raises:
        ConfigError: Both are given, or the folder is none.
        DataError: The table cannot be read. The function raises it for a video that is not there.
    """
    if table is not None and videos is not None:
        raise ConfigError('give the lengths of the videos (--lengths) or the videos (--videos).')
    if table is not None:
        known = read_lengths(Path(table))
        return lambda vid: _listed(known, vid, table)
    if videos is None:
        return None
    if not Path(videos).is_dir():
        raise ConfigError(f'{videos} is no folder of videos; check --videos.')
    files = {path.stem: path for path in sorted(Path(videos).iterdir()) if path.is_file()}
    probed: dict[str, float] = {}

    def length(vid: str) -> float:
        # With it come all encoders, which other files need not wait for.
        from vtg.extraction import probe

        if vid not in files:
            raise DataError(f'{videos} has no video {shown(vid)}; add it or give --lengths.')
        if vid not in probed:
            probed[vid] = round(probe(files[vid]).duration, 3)
        return probed[vid]

    return length


def _listed(known: Mapping[str, float], vid: str, table: str | Path) -> float:
    if not is_number(known.get(vid), 1e-3):
        raise DataError(f'{table} has no length of the video {shown(vid)}; use the complete table.')
    return known[vid]
