# SPDX-License-Identifier: Apache-2.0
"""Synthetic pairs from videos alone: VideoLights' Algorithm 1 over any captioner and scorer."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from vtg.extraction import RayOptions, probe, read_clips
from vtg.extraction.pipeline import OnStart, silent
from vtg.registry import ENCODERS
from vtg.utils import DataError, Record, check_clip_length

from .shards import ShardWorker, Statistics, run_shards
from .synthetic import (
    interval_clips,
    make_record,
    representative_clips,
    saliency_of,
    split_intervals,
)


class SyntheticPairs(ShardWorker):
    """Captions the middle of every interval and scores the interval's clips against the caption.

    Args:
        folder: The folder of the job.
        captioner, scorer: Their configs.
        clip_length: Seconds per clip.
        interval: Seconds per interval.
        intervals: See :func:`split_intervals`.
        saliency: See :func:`saliency_of`.
        drop_last: See :func:`interval_clips`.
        max_duration: Longer videos are left out.
    """

    def __init__(
        self,
        folder: str,
        captioner: dict,
        scorer: dict,
        clip_length: float = 2.0,
        interval: float = 10.0,
        intervals: str = 'fixed',
        saliency: str = 'similarity',
        drop_last: bool = False,
        max_duration: float = 500.0,
    ) -> None:
        super().__init__(folder)
        self.captioner = ENCODERS.build(captioner)
        self.scorer = ENCODERS.build(scorer)
        self.clip_length = check_clip_length(clip_length)
        self.interval = check_clip_length(interval, 'interval')
        self.intervals = intervals
        self.saliency = saliency
        self.drop_last = drop_last
        self.max_duration = max_duration

    def records(self, unit: tuple[str, str], statistics: Statistics) -> list[Record]:
        """Caption and grade the intervals of one video ``(vid, path)``."""
        vid, path = unit
        seconds = probe(path).duration
        if seconds > self.max_duration:
            raise DataError(
                f'{path} lasts {seconds:.0f} s, more than max_duration ({self.max_duration:g} s); '
                'it is left out.'
            )
        scorer = self.scorer
        clips = read_clips(path, self.clip_length, scorer.image_size, resize=scorer.resize)
        # Labels refer to clips, so what lies beyond the last one is no part of the sample.
        duration = round(min(clips.duration, len(clips) * self.clip_length), 3)
        intervals = split_intervals(duration, self.interval, self.intervals)
        shown = representative_clips(intervals, len(clips), self.clip_length)
        captions = self.captioner.caption(clips.frames[shown, 0])
        prepared = self.scorer.prepare(clips.frames)
        records = []
        for (start, end), caption in zip(intervals, captions):
            if not caption.split():
                statistics.count('intervals', 'without caption')
                continue
            inside = interval_clips(start, end, len(clips), self.clip_length, self.drop_last)
            scores = saliency_of(self.scorer.score(prepared[inside], caption), self.saliency)
            records.append(make_record(vid, duration, (start, end), caption, inside, scores))
            statistics.count('intervals', 'captioned')
            statistics.count('clips per interval', len(inside))
            statistics.count('words per caption', len(caption.split()))
        return records


def make_synthetic_pairs(
    videos: Mapping[str, str | Path],
    folder: str | Path,
    captioner: dict,
    scorer: dict,
    shard_size: int = 16,
    ray: RayOptions | None = None,
    on_start: OnStart = silent,
    **options: Any,
) -> dict[str, Any]:
    """Write ``folder/annotations.jsonl`` and ``statistics.json`` for videos; see :mod:`.shards`.

    Args:
        videos: Path of every video by id.
        folder: Where everything goes; started again, the work goes on.
        captioner, scorer: Configs, e.g. ``dict(type='BlipCaptioner', weights=...)``.
        shard_size, ray, on_start: See :func:`run_shards`.
        options: Further arguments of :class:`SyntheticPairs`.

    Returns:
        The statistics and the sentence for every video that could not be used.
    """
    units = [(vid, str(Path(path).absolute())) for vid, path in sorted(videos.items())]
    settings = {'data': 'videolights', 'captioner': captioner, 'scorer': scorer, **options}
    worker = partial(SyntheticPairs, str(Path(folder).absolute()), captioner, scorer, **options)
    return run_shards(worker, units, folder, settings, shard_size, ray, on_start)
