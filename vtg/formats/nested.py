# SPDX-License-Identifier: Apache-2.0
"""Benchmarks that were published as one JSON object by video, or nested deeper."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vtg.registry import ANNOTATION_FORMATS
from vtg.utils import Record, read_json, shown

from .base import AnnotationFormat, ByVideo, kind_of, number, pairs, reason, times


def _first_entry(content: Any) -> Mapping[str, Any]:
    """The first value of a JSON object whose values are objects, else an empty one."""
    return _entry(next(iter(content.values()), None) if isinstance(content, dict) else None)


def _entry(value: Any) -> Mapping[str, Any]:
    """A JSON object, an empty one where the value is none."""
    return value if isinstance(value, dict) else {}


def _record(
    vid: str, index: int, query: Any, duration: float, window: list[float], **more: Any
) -> Record:
    return {
        'qid': f'{vid}_{index}',
        'query': query,
        'duration': duration,
        'vid': vid,
        'relevant_windows': [window],
        **more,
    }


@ANNOTATION_FORMATS.register_module(name=['activitynet', 'activitynet_captions'])
class ActivityNetCaptions(ByVideo):
    """ActivityNet Captions as published (Krishna et al., 2017), and the copies of 2D-TAN.

    ``{vid: {duration, timestamps: [[s, e], ...], sentences}}``; ids are ``{vid}_{index}``, or
    count from ``first_qid`` as those of EaTR and lighthouse do (train 0, val_1 37421, val_2 54926).

    Args:
        first_qid: The first id; None makes them of the video.
        lengths: Not needed.
    """

    title = 'ActivityNet Captions: an object by video with duration, timestamps and sentences'

    def __init__(self, first_qid: int | None = None, lengths: Any = None) -> None:
        super().__init__(lengths)
        self.first_qid = first_qid

    def read(self, path: Path) -> Iterator[Record]:
        """See :class:`AnnotationFormat`."""
        for index, record in enumerate(super().read(path)):
            qid = record['qid'] if self.first_qid is None else self.first_qid + index
            yield {**record, 'qid': qid}

    def records(self, vid: str, entry: Mapping[str, Any]) -> Iterator[Record]:
        """See :class:`ByVideo`."""
        duration = number(entry['duration'], 'duration')
        both = pairs(entry['timestamps'], entry['sentences'], ('timestamps', 'sentences'))
        for index, (window, sentence) in enumerate(both):
            yield _record(vid, index, sentence, duration, times(window))

    @classmethod
    def recognises(cls, content: Any) -> bool:
        """See :class:`AnnotationFormat`."""
        entry = _first_entry(content)
        return {'duration', 'timestamps', 'sentences'} <= entry.keys() and not (
            {'novels', 'news'} & entry.keys()
        )


@ANNOTATION_FORMATS.register_module(name='tacos')
class Tacos(ByVideo):
    """TACoS as in 2D-TAN and MESM: times are frames, which ``fps`` turns into seconds."""

    white_space = 'keep'  # as in the common files
    title = 'TACoS: an object by video with timestamps in frames, sentences, fps and num_frames'

    def records(self, vid: str, entry: Mapping[str, Any]) -> Iterator[Record]:
        """See :class:`ByVideo`."""
        vid, fps = vid.removesuffix('.avi'), number(entry['fps'], 'fps')
        duration = number(entry['num_frames'], 'num_frames') / fps
        both = pairs(entry['timestamps'], entry['sentences'], ('timestamps', 'sentences'))
        for index, (window, sentence) in enumerate(both):
            seconds = [frame / fps for frame in times(window)]
            yield _record(vid, index, sentence, duration, seconds)

    @classmethod
    def recognises(cls, content: Any) -> bool:
        """See :class:`AnnotationFormat`."""
        return {'timestamps', 'sentences', 'fps', 'num_frames'} <= _first_entry(content).keys()


@ANNOTATION_FORMATS.register_module(name='charades_cd')
class CharadesCD(ByVideo):
    """Charades-CD (Yuan et al., 2021): another split of Charades-STA, with its own durations."""

    title = 'Charades-CD: an object by video with video_duration, timestamps and sentences'
    clip_length = 1.0

    def records(self, vid: str, entry: Mapping[str, Any]) -> Iterator[Record]:
        """See :class:`ByVideo`."""
        duration = number(entry['video_duration'], 'video_duration')
        both = pairs(entry['timestamps'], entry['sentences'], ('timestamps', 'sentences'))
        for index, (window, sentence) in enumerate(both):
            yield _record(vid, index, sentence, duration, times(window))

    @classmethod
    def recognises(cls, content: Any) -> bool:
        """See :class:`AnnotationFormat`."""
        return {'video_duration', 'timestamps', 'sentences'} <= _first_entry(content).keys()


@ANNOTATION_FORMATS.register_module(name='charades_cg')
class CharadesCG(ByVideo):
    """Charades-CG (Li et al., 2022): new compositions and new words, named in ``novel``."""

    title = 'Charades-CG: an object by video with duration, timestamps, sentences, novels or news'
    clip_length = 1.0

    def records(self, vid: str, entry: Mapping[str, Any]) -> Iterator[Record]:
        """See :class:`ByVideo`."""
        duration = number(entry['duration'], 'duration')
        both = pairs(entry['timestamps'], entry['sentences'], ('timestamps', 'sentences'))
        novel = entry.get('novels', entry.get('news'))
        for index, (window, sentence) in enumerate(both):
            known = isinstance(novel, list) and index < len(novel)
            more = {'novel': novel[index]} if known and novel is not None else {}
            yield _record(vid, index, sentence, duration, times(window), **more)

    @classmethod
    def recognises(cls, content: Any) -> bool:
        """See :class:`AnnotationFormat`."""
        entry = _first_entry(content)
        return {'duration', 'timestamps', 'sentences'} <= entry.keys() and bool(
            {'novels', 'news'} & entry.keys()
        )


@ANNOTATION_FORMATS.register_module(name=['ratsg', 'charades_rf', 'activitynet_rf'])
class Ratsg(ByVideo):
    """The sets with unanswerable queries of RaTSG (NeurIPS 2024), Charades-RF and ActivityNet-RF.

    ``{vid: {duration, sts: [{sentence, id, timestamp, no_answer}]}}``; without an answer the
    timestamp is ``[]``.
    """

    title = 'RaTSG: an object by video with duration and sts, a list of sentences with timestamp'
    clip_length = 1.0

    def records(self, vid: str, entry: Mapping[str, Any]) -> Iterator[Record]:
        """See :class:`ByVideo`."""
        duration = number(entry['duration'], 'duration')
        for index, item in enumerate(entry['sts']):
            window = item['timestamp']
            record = _record(vid, index, item['sentence'], duration, window)
            record['qid'] = item.get('id', record['qid'])
            record['relevant_windows'] = [] if window == [] else [times(window)]
            yield {**record, 'no_answer': item.get('no_answer', window == [])}

    @classmethod
    def recognises(cls, content: Any) -> bool:
        """See :class:`AnnotationFormat`."""
        return {'duration', 'sts'} <= _first_entry(content).keys()


@ANNOTATION_FORMATS.register_module(name='timelens')
class TimeLens(ByVideo):
    """TimeLens-Bench (TencentARC, 2026): ``{vid: {duration, spans, queries}}``."""

    title = 'TimeLens-Bench: an object by video with duration, spans and queries'

    def records(self, vid: str, entry: Mapping[str, Any]) -> Iterator[Record]:
        """See :class:`ByVideo`."""
        duration = number(entry['duration'], 'duration')
        both = pairs(entry['spans'], entry['queries'], ('spans', 'queries'))
        for index, (window, query) in enumerate(both):
            yield _record(vid, index, query, duration, times(window))

    @classmethod
    def recognises(cls, content: Any) -> bool:
        """See :class:`AnnotationFormat`."""
        return {'duration', 'spans', 'queries'} <= _first_entry(content).keys()


@ANNOTATION_FORMATS.register_module(name='mad')
class Mad(ByVideo):
    """MAD (Soldan et al., 2022): one entry per sentence; the extended times are those in use."""

    title = 'MAD: an object by sentence with movie, movie_duration, timestamps and sentence'
    clip_length = 0.2

    def records(self, vid: str, entry: Mapping[str, Any]) -> Iterator[Record]:
        """See :class:`ByVideo`; ``vid`` is the id of the sentence."""
        window = times(entry.get('ext_timestamps', entry['timestamps']))
        duration = number(entry['movie_duration'], 'movie_duration')
        record = _record(str(entry['movie']), 0, entry['sentence'], duration, window)
        yield {**record, 'qid': vid}

    @classmethod
    def recognises(cls, content: Any) -> bool:
        """See :class:`AnnotationFormat`."""
        return {'movie', 'movie_duration', 'timestamps'} <= _first_entry(content).keys()


@ANNOTATION_FORMATS.register_module(name='snag')
class Snag(AnnotationFormat):
    """The files of SnAG: ``{split: {vid: {fps, num_frames, annotations: [{segment, sentence}]}}}``.

    Args:
        split: Which of the splits; None where there is only one.
        lengths: Not needed.
    """

    title = 'SnAG: an object by split and video with annotations, a list of segment and sentence'

    def __init__(self, split: str | None = None, lengths: Any = None) -> None:
        super().__init__(lengths)
        self.split = split

    def read(self, path: Path) -> Iterator[Record]:
        """See :class:`AnnotationFormat`."""
        content = read_json(path)
        splits = list(content) if isinstance(content, dict) else []
        split = splits[0] if self.split is None and len(splits) == 1 else self.split
        if split not in splits or not isinstance(content[split], dict):
            known = shown(', '.join(splits[:10])).strip("'") or 'none'
            raise self.refuse(path, '', f'split is {shown(split)} and the file has {known}')
        for vid, entry in content[split].items():
            try:
                yield from self._records(vid, entry)
            except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
                raise self.refuse(path, f'video {shown(vid)}', reason(error)) from None

    def _records(self, vid: str, entry: Mapping[str, Any]) -> Iterator[Record]:
        duration = entry.get('duration')
        if duration is None:
            duration = number(entry['num_frames'], 'num_frames') / number(entry['fps'], 'fps')
        for index, item in enumerate(entry['annotations']):
            record = _record(vid, index, item['sentence'], duration, times(item['segment']))
            yield {**record, 'qid': item.get('sentence_id', f'{vid}_{index:04d}')}

    @classmethod
    def recognises(cls, content: Any) -> bool:
        """See :class:`AnnotationFormat`."""
        return 'annotations' in _first_entry(_first_entry(content))


@ANNOTATION_FORMATS.register_module(name=['ego4d_nlq', 'nlq'])
class Ego4dNlq(AnnotationFormat):
    """Ego4D natural language queries (Grauman et al., 2022), the nested files of v1 and v2.

    Windows are ``clip_start_sec`` to ``clip_end_sec``. A query is addressed by its clip, its
    annotation and its place there, which the records keep.

    Args:
        duration: That of a clip: its part of the ``'video'``, as in all flattened files, or the
            times of the ``'clip'`` itself, as in UniTime; they differ by some milliseconds.
        lengths: Not needed.
    """

    title = 'Ego4D-NLQ: an object with videos, their clips, annotations and language_queries'

    def __init__(self, duration: str = 'video', lengths: Any = None) -> None:
        super().__init__(lengths)
        self.duration = duration

    def read(self, path: Path) -> Iterator[Record]:
        """See :class:`AnnotationFormat`."""
        content = read_json(path)
        if not isinstance(content, dict) or not isinstance(content.get('videos'), list):
            raise self.refuse(path, '', f'the file holds a {kind_of(content)} without videos')
        for index, video in enumerate(content['videos']):
            try:
                for clip in video['clips']:
                    yield from self._records(video, clip)
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                raise self.refuse(path, f'video {index + 1}', reason(error)) from None

    def _records(self, video: Mapping[str, Any], clip: Mapping[str, Any]) -> Iterator[Record]:
        start, end = (clip[f'{self.duration}_{name}_sec'] for name in ('start', 'end'))
        duration, vid = number(end - start, 'duration'), clip['clip_uid']
        for annotation in clip['annotations']:
            uid = annotation.get('annotation_uid', '')
            for index, item in enumerate(annotation['language_queries']):
                window = [item['clip_start_sec'], item['clip_end_sec']]
                record = {
                    'qid': f'{vid}_{uid}_{index}',
                    'query': item.get('query'),
                    'duration': duration,
                    'vid': vid,
                    'relevant_windows': [times(window)],
                    'video_uid': video.get('video_uid'),
                    'annotation_uid': uid,
                    'query_idx': index,
                }
                more = {name: item[name] for name in ('template',) if item.get(name)}
                yield {**record, **more}

    @classmethod
    def recognises(cls, content: Any) -> bool:
        """See :class:`AnnotationFormat`."""
        videos = content.get('videos') if isinstance(content, dict) else None
        return isinstance(videos, list) and bool(videos) and 'clips' in _entry(videos[0])
