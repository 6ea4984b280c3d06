# SPDX-License-Identifier: Apache-2.0
"""Benchmarks that were published in the common format, each with its own customs, and lists."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vtg.registry import ANNOTATION_FORMATS
from vtg.utils import DataError, Record, is_integer, read_json, read_json_lines, shown

from .base import AnnotationFormat, kind_of, reason

_COMMON = {'qid', 'query', 'vid', 'duration'}
_CHUNK = 5.0


@ANNOTATION_FORMATS.register_module(
    name=['jsonl', 'moment_detr', 'lighthouse', 'univtg', 'cg_detr', 'eatr', 'nlq_jsonl', 'qvm2']
)
class CommonFormat(AnnotationFormat):
    """The format of QVHighlights: one object per query, as JSON lines or as one list.

    Files of Moment-DETR, UniVTG, CG-DETR, EaTR, lighthouse and QV-M2 are in it.
    """

    title = 'an object with qid, query, vid, duration and relevant_windows for every query'

    def read(self, path: Path) -> Iterator[Record]:
        """See :class:`AnnotationFormat`."""
        for place, record in _objects(self, path):
            missing = sorted(_COMMON - record.keys() - {'query'})
            if missing:
                raise self.refuse(path, place, f'there is no field {missing[0]!r}')
            yield record

    @classmethod
    def recognises(cls, content: Any) -> bool:
        """See :class:`AnnotationFormat`."""
        return _first(content).keys() >= _COMMON


@ANNOTATION_FORMATS.register_module(name=['soccer_gmr', 'gmr'])
class SoccerGmr(CommonFormat):
    """Soccer-GMR (2026): queries without a moment have ``relevant_windows: []``."""


@ANNOTATION_FORMATS.register_module(
    name=['castella', 'clotho_moment', 'unav100', 'tut2017', 'audio']
)
class AudioMoments(CommonFormat):
    """The audio benchmarks of lighthouse: ``vid`` names a recording, rows are seconds."""

    clip_length = 1.0


@ANNOTATION_FORMATS.register_module(name='causalvtg')
class CausalVtg(CommonFormat):
    """CausalVTG's sets with unanswerable queries: ``no_answer`` beside a window of 1 ms.

    The qid names the sentence, and repeats.
    """

    clip_length = 1.0
    qid_names_text = True


@ANNOTATION_FORMATS.register_module(name='na_vmr')
class NaVmr(CommonFormat):
    """NA-VMR (Flanagan et al., WACV 2025): ``[[0, 0]]`` says that there is no moment.

    In the files of positives and negatives the ids repeat.
    """

    zero_window = 'no_moment'
    qid_names_text = True


@ANNOTATION_FORMATS.register_module(name='didemo')
class Didemo(AnnotationFormat):
    """DiDeMo (Hendricks et al., 2017): moments are runs of chunks of 5 s, one for each annotator.

    ``relevant_windows`` holds the moment that most annotators chose, the first of these; ``times``
    keeps those of all, for Rank@k and the mIoU of the paper.

    Args:
        lengths: Seconds of a video; the last chunk then ends with it, else after 5 s.
    """

    title = 'DiDeMo: a list of objects with description, video, num_segments and times'
    clip_length = _CHUNK

    def read(self, path: Path) -> Iterator[Record]:
        """See :class:`AnnotationFormat`."""
        content = read_json(path)
        if not isinstance(content, list):
            raise self.refuse(path, '', f'the file holds a {kind_of(content)}')
        for index, entry in enumerate(content, start=1):
            try:
                yield self._record(entry)
            except (LookupError, TypeError, ValueError) as error:
                raise self.refuse(path, f'record {index}', reason(error)) from None

    def _record(self, entry: Mapping[str, Any]) -> Record:
        chunks, chosen = entry['num_segments'], entry['times']
        if not is_integer(chunks, 1) or not isinstance(chosen, list) or not chosen:
            raise ValueError(f'num_segments is {shown(chunks)} and times {shown(chosen)}')
        for run in chosen:
            whole = isinstance(run, list) and len(run) == 2
            if not whole or not all(is_integer(chunk, 0, chunks - 1) for chunk in run):
                raise ValueError(f'times holds {shown(run)}, no chunks of {chunks}')
        vid, most = entry['video'], max(chosen, key=chosen.count)
        duration = chunks * _CHUNK
        if self.lengths is not None:
            duration = min(self.lengths(vid), duration)
        first, last = most
        return {
            'qid': entry['annotation_id'],
            'query': entry['description'],
            'duration': duration,
            'vid': vid,
            'relevant_windows': [[first * _CHUNK, min((last + 1) * _CHUNK, duration)]],
            'num_segments': chunks,
            'times': chosen,
        }

    @classmethod
    def recognises(cls, content: Any) -> bool:
        """See :class:`AnnotationFormat`."""
        return {'description', 'video', 'num_segments', 'times'} <= _first(content).keys()


@ANNOTATION_FORMATS.register_module(name='tvgbench')
class TvgBench(AnnotationFormat):
    """TVGBench of Time-R1: a list with path, question, start, end and duration."""

    title = 'TVGBench: a list of objects with path, question, start, end and duration'

    def read(self, path: Path) -> Iterator[Record]:
        """See :class:`AnnotationFormat`."""
        for index, (place, entry) in enumerate(_objects(self, path)):
            try:
                yield {
                    'qid': entry.get('qid', index),
                    'query': entry['question'],
                    'duration': entry['duration'],
                    'vid': Path(entry['path']).stem,
                    'relevant_windows': [[entry['start'], entry['end']]],
                    'dataset_name': entry.get('dataset_name'),
                }
            except (LookupError, TypeError) as error:
                raise self.refuse(path, place, reason(error)) from None

    @classmethod
    def recognises(cls, content: Any) -> bool:
        """See :class:`AnnotationFormat`."""
        return {'path', 'question', 'start', 'end'} <= _first(content).keys()


def _first(content: Any) -> Mapping[str, Any]:
    """The first object of a list, or the content itself where it is one."""
    first = content[0] if isinstance(content, list) and content else content
    return first if isinstance(first, dict) else {}


def _objects(reader: AnnotationFormat, path: Path) -> Iterator[tuple[str, Record]]:
    """Yield the objects of JSON lines, or of one JSON list, each with its place."""
    lines = read_json_lines(path)
    number, record, problem = next(lines, (0, None, ''))
    if record is not None:
        yield f'line {number}', record
        for number, record, problem in lines:
            if record is None:
                raise DataError(f'{path}, line {number}: {problem}')
            yield f'line {number}', record
        return
    try:
        content = read_json(path)
    except DataError:
        content = None
    if not isinstance(content, list):
        raise reader.refuse(path, f'line {number}', problem.split(';')[0] or 'the file is empty')
    for index, entry in enumerate(content, start=1):
        if not isinstance(entry, dict):
            raise reader.refuse(path, f'record {index}', f'found a {kind_of(entry)}')
        yield f'record {index}', entry
