# SPDX-License-Identifier: Apache-2.0
"""InterVid-MR, the pre-training data of SG-DETR, from captioned intervals of long videos."""

import contextlib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vtg.extraction import RayOptions, probe, read_clips, write_arrays
from vtg.extraction.encoders import cosine
from vtg.extraction.pipeline import OnStart, silent
from vtg.registry import ENCODERS
from vtg.utils import (
    ConfigError,
    DataError,
    Record,
    check_clip_length,
    file_name,
    is_number,
    read_json_lines,
    shown,
)

from .intervid import (
    CaptionFilter,
    MomentLabels,
    crop_window,
    filter_captions,
    interval_problem,
    label_moments,
    runs,
)
from .shards import ShardWorker, Statistics, run_shards

# Names of the fields here and in the published files of InternVid.
_FIELDS = {
    'vid': ('vid', 'video', 'YoutubeID'),
    'caption': ('caption', 'Caption'),
    'start': ('start', 'Start_timestamp'),
    'end': ('end', 'End_timestamp'),
}
_CLOCK = re.compile(r'(\d+):(\d+):(\d+(?:\.\d+)?)')


class CaptionRow(NamedTuple):
    """One captioned interval: number of the row, video id, caption, start and end in seconds."""

    number: int
    vid: str
    caption: str
    start: float
    end: float


def read_rows(path: str | Path) -> list[CaptionRow]:
    """Read captioned intervals, JSON lines with ``vid, caption, start, end`` or InternVid's names.

    Times are seconds or ``'HH:MM:SS.mmm'``.

    Raises:
        DataError: A field is missing or no time; names file and line.
    """
    rows: list[CaptionRow] = []
    for line, record, problem in read_json_lines(path):
        where = f'{path}, line {line}: record {len(rows) + 1}'
        if record is None:
            raise DataError(f'{path}, line {line}: {problem}')
        values = {}
        for name, aliases in _FIELDS.items():
            key = next((alias for alias in aliases if alias in record), None)
            if key is None:
                raise DataError(
                    f'{where} has no field {name!r}; expected vid, caption, start and end, or the '
                    'names of InternVid.'
                )
            values[name] = record[key]
        start, end = (_seconds(values[name], f'{where}, {name}') for name in ('start', 'end'))
        vid = file_name(values['vid'], f'{where}, vid')
        if not isinstance(values['caption'], str):
            raise DataError(f'{where}: caption is {shown(values["caption"])}; expected a sentence.')
        rows.append(CaptionRow(len(rows), vid, values['caption'], start, end))
    if not rows:
        raise DataError(f'{path} holds no caption; expected one JSON object per line.')
    return rows


def _seconds(value: Any, where: str) -> float:
    clock = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if clock is not None:
        hours, minutes, seconds = map(float, clock.groups())
        value = 3600 * hours + 60 * minutes + seconds
    elif isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = float(value)
    if not is_number(value):
        raise DataError(f"{where}: {shown(value)} is no time; expected seconds or 'HH:MM:SS.mmm'.")
    return float(value)


def select_rows(
    rows: Sequence[CaptionRow],
    available: Mapping[str, Any],
    rules: CaptionFilter,
    limit: int | None,
    seed: int,
    statistics: Statistics,
) -> list[CaptionRow]:
    """Drop rows with meaningless captions or without a video, then take the first ``limit`` in an
    order that the seed determines."""
    reasons = filter_captions([row.vid for row in rows], [row.caption for row in rows], rules)
    kept = []
    for row, reason in zip(rows, reasons):
        reason = reason or (None if row.vid in available else 'no video file')
        statistics.count('captions', reason or 'kept')
        if reason is None:
            kept.append(row)
    order = np.random.default_rng(seed).permutation(len(kept))[:limit]
    return [kept[index] for index in order]


class InterVidMR(ShardWorker):
    """Labels the captions of a video on parts of it, and writes the features of these parts.

    A part of at most ``longest`` seconds gets the features ``video/{vid}.npz``, a caption
    ``text/{qid}.npz``: what training reads. Every clip of a video is encoded once.

    Args:
        folder: The folder of the job.
        encoder: Config of an encoder with a joint space of clips and sentences.
        clip_length: Seconds per clip.
        longest: Seconds of the longest part.
        max_pos_ratio: Captions with a greater share of positive clips are dropped.
        dtype: Type of the stored features.
    """

    def __init__(
        self,
        folder: str,
        encoder: dict,
        clip_length: float = 2.0,
        longest: float = 150.0,
        max_pos_ratio: float = 1.0,
        dtype: str = 'float16',
    ) -> None:
        super().__init__(folder)
        self.encoder = ENCODERS.build(encoder)
        if not (self.encoder.has_text and self.encoder.joint):
            raise ConfigError(
                f'{encoder["type"]} has no joint space of clips and sentences, which the '
                'similarities need; use ClipEncoder or an exported encoder with its text part.'
            )
        self.clip_length = check_clip_length(clip_length)
        self.longest = longest
        self.max_pos_ratio = max_pos_ratio
        self.dtype = dtype

    def records(
        self, unit: tuple[str, str, Sequence[Sequence[Any]]], statistics: Statistics
    ) -> list[Record]:
        """Crop, label and grade every caption of one video ``(vid, path, rows)``."""
        vid, path, rows = unit
        duration = probe(path).duration
        parts = []
        for row in (CaptionRow(*row) for row in rows):
            problem = interval_problem(row.start, row.end, duration, self.longest)
            begin, length = crop_window(
                vid, row.caption, row.start, row.end, duration, self.longest, self.clip_length
            )
            problem = problem or ('' if length else 'video too short')
            statistics.count('intervals', problem or 'kept')
            if not problem:
                parts.append((row, begin, length))
        if not parts:
            return []
        features = self._encode(path, [part[1:] for part in parts])
        made = [
            self._record(row, begin, length, features, statistics) for row, begin, length in parts
        ]
        return [record for record in made if record is not None]

    def _encode(self, path: str, parts: Sequence[tuple[float, float]]) -> np.ndarray:
        """Features ``(L, D)`` of the clips of the video up to the last part; zero outside them."""
        ranges = np.rint(np.asarray(parts) / self.clip_length).astype(int)
        needed = np.zeros((ranges.sum(axis=1)).max(), dtype=bool)
        for first, count in ranges:
            needed[first : first + count] = True
        pieces = []
        for begin, end in runs(needed, 1.0).astype(int):
            clips = read_clips(
                path,
                self.clip_length,
                self.encoder.image_size,
                self.encoder.sampler,
                begin * self.clip_length,
                end * self.clip_length,
                self.encoder.resize,
            )
            rows = self.encoder.encode_frames(clips.frames)[: end - begin]
            # A container may promise a fraction of a clip more than there is.
            missing = end - begin - len(rows)
            pieces.append(np.pad(rows, ((0, missing), (0, 0)), mode='edge'))
        features = np.zeros((len(needed), pieces[0].shape[1]), np.float32)
        features[needed] = np.concatenate(pieces)
        return features

    def _record(
        self,
        row: CaptionRow,
        begin: float,
        length: float,
        features: np.ndarray,
        statistics: Statistics,
    ) -> Record | None:
        first, count = round(begin / self.clip_length), round(length / self.clip_length)
        part = features[first : first + count]
        text = self.encoder.encode_text(row.caption)
        start, end = (min(max(edge - begin, 0.0), length) for edge in (row.start, row.end))
        labels = label_moments(cosine(part, text.pooled), start, end, self.clip_length)
        if labels.positive.mean() > self.max_pos_ratio:
            statistics.count('samples', 'too many positive clips')
            return None
        record = to_record(row, begin, length, labels)
        write_arrays(
            self.folder / 'video' / f'{record["vid"]}.npz', features=part.astype(self.dtype)
        )
        write_arrays(
            self.folder / 'text' / f'{record["qid"]}.npz',
            last_hidden_state=text.tokens.astype(self.dtype),
            pooler_output=text.pooled.astype(self.dtype),
        )
        statistics.count('windows per sample', len(labels.windows))
        for grade, number in zip(*np.unique(labels.grades[labels.positive], return_counts=True)):
            statistics.count('grades', grade, number)
        lost = int((labels.original & ~labels.positive).sum())
        added = int((labels.positive & ~labels.original).sum())
        statistics.count('clips', 'annotated', int(labels.original.sum()))
        statistics.count('clips', 'annotated but not positive', lost)
        statistics.count('clips', 'positive but not annotated', added)
        return record


def to_record(row: CaptionRow, begin: float, length: float, labels: MomentLabels) -> Record:
    """One record in QVHighlights' format; the grade stands three times, for three annotators."""
    clips = np.flatnonzero(labels.positive)
    return {
        'qid': f'{row.vid}_{row.number}',
        'query': row.caption,
        'vid': f'{row.vid}_{begin:.1f}_{begin + length:.1f}',
        'duration': length,
        'relevant_windows': labels.windows.tolist(),
        'relevant_clip_ids': clips.tolist(),
        'saliency_scores': [[grade] * 3 for grade in labels.grades[clips].tolist()],
    }


def make_intervid_mr(
    rows: Sequence[CaptionRow],
    videos: Mapping[str, str | Path],
    folder: str | Path,
    encoder: dict,
    rules: CaptionFilter | None = None,
    limit: int | None = 150_000,
    seed: int = 0,
    shard_size: int = 16,
    ray: RayOptions | None = None,
    on_start: OnStart = silent,
    **options: Any,
) -> dict[str, Any]:
    """Write annotations, features and statistics of InterVid-MR; see :mod:`.shards`.

    Args:
        rows: Captioned intervals, see :func:`read_rows`.
        videos: Path of every video by id.
        folder: Where everything goes; started again, the work goes on.
        encoder: Config of the encoder.
        rules: Which captions are kept.
        limit: Number of captions that are taken; None takes all.
        seed: Of the order in which they are taken.
        shard_size, ray, on_start: See :func:`run_shards`; a unit is a video.
        options: Further arguments of :class:`InterVidMR`.

    Returns:
        The statistics and the sentence for every video that could not be used.

    Raises:
        DataError: No caption can be used.
    """
    rules, statistics = rules or CaptionFilter(), Statistics()
    chosen = select_rows(rows, videos, rules, limit, seed, statistics)
    if not chosen:
        reasons = ', '.join(f'{what} {n}' for what, n in statistics.groups['captions'].items())
        raise DataError(
            f'none of the {len(rows)} captions can be used ({reasons}); their vid is the name of '
            'a video file without its suffix.'
        )
    by_video: dict[str, list[CaptionRow]] = defaultdict(list)
    for row in sorted(chosen):
        by_video[row.vid].append(row)
    units = [
        (vid, str(Path(videos[vid]).absolute()), [list(row) for row in found])
        for vid, found in sorted(by_video.items())
    ]
    settings = {'data': 'intervid-mr', 'encoder': encoder, **options}
    worker = partial(InterVidMR, str(Path(folder).absolute()), encoder, **options)
    return run_shards(worker, units, folder, settings, shard_size, ray, on_start, statistics)
