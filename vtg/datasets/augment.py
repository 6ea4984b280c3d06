# SPDX-License-Identifier: Apache-2.0
"""Augmentations: a step of a training sample that changes its record and what its video is made of.

An augmentation is a component. ``prepare(records, clip_length, max_clips)`` introduces the records
of the dataset once; ``augment(record, index, rng)`` returns the record of a sample, another one or
the same. A record with ``pieces`` (:class:`~vtg.datasets.mixing.Piece`) has a video of pieces,
which ``augment.arrays(record, read)`` puts together.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from vtg.registry import TRANSFORMS
from vtg.utils import ConfigError, Record, check_choice, check_keys

from .mixing import (
    Part,
    Piece,
    Span,
    ceil_clip,
    cut,
    floor_clip,
    inward,
    is_temporal,
    join_pieces,
    outward,
    runs,
    slice_pieces,
    split_video,
)
from .survey import implied_clips

_KINDS = ('plain', 'foreground', 'background', 'both')


@TRANSFORMS.register_module()
class MomentMix:
    """New videos from pieces of those that are there: short moments, and other surroundings.

    *Foreground*: the longest moment and the rest of the video are cut at random places, and the
    parts shuffled so that rest and moment take turns. *Background*: every stretch outside of the
    moments is replaced by one of another video. *Both*: the second on the result of the first.
    Windows, relevant clips and their scores follow; the query stays. Park et al., "Length-Aware
    DETR for Robust Moment Retrieval", 2024, who call the length of the parts epsilon_cut.

    What a sample becomes is drawn anew in each epoch; the released code mixes once, before
    training, and trains with the old and the new records. A record that cannot be mixed in the
    drawn way stays as it is: without windows or with nothing outside of them, too short to be cut,
    with overlapping moments, longer than the clips that are kept, without a stretch that fits.

    Args:
        part_length: Seconds of the parts on average; a moment of twice the length can be cut.
        cut_step: Seconds between the places where cuts may be; None: between any two clips.
        bins: Ascending lengths in seconds. A gap is filled from stretches that are at least as long
            as the next of these lengths, and shorter than the one after.
        fill_from: What fills gaps: ``'moments'`` of other queries, or ``'all'``, also what lies
            between them.
        max_moment: Seconds of the shortest moment, at most, of records that get another background.
        temporal: What is done to queries that order events in time: ``'background'``, or
            ``'nothing'``. Their moments are never cut.
        shares: Weights of ``plain``, ``foreground``, ``background`` and ``both`` in the draw; 0
            where it names none.
        as_released: Do what the released code does: parts of words count as words; *both* takes the
            clips of its moments from the original video at their new places; windows of cut moments
            that touch are paired with wrong remainders; and pieces of windows that are no whole
            clips can be a clip too long or too short, so that labels shift.

    Raises:
        ConfigError: ``bins`` do not ascend, or ``shares`` names another kind or no positive weight.
    """

    def __init__(
        self,
        part_length: float = 5.0,
        cut_step: float | None = None,
        bins: Sequence[float] = (0, 10, 30, 50, 70, 90, 110, 130, 150),
        fill_from: Literal['moments', 'all'] = 'all',
        max_moment: float = 30.0,
        temporal: Literal['background', 'nothing'] = 'background',
        shares: Mapping[str, float] | None = None,
        as_released: bool = False,
    ) -> None:
        check_choice(fill_from, ('moments', 'all'), 'fill_from of MomentMix')
        check_choice(temporal, ('background', 'nothing'), 'temporal of MomentMix')
        if not bins or any(b <= a for a, b in pairwise(bins)):
            raise ConfigError(f'bins of MomentMix ascend, e.g. (0, 10, 30), got {tuple(bins)!r}.')
        shares = check_keys(shares or dict.fromkeys(_KINDS, 1.0), _KINDS, 'shares of MomentMix')
        weights = np.asarray([shares.get(kind, 0.0) for kind in _KINDS], dtype=np.float64)
        if (weights < 0).any() or not weights.sum() > 0:
            raise ConfigError(
                f'shares of MomentMix are at least 0 and not all 0, got {dict(shares)!r}.'
            )
        self.part_length = part_length
        self.cut_step = cut_step
        self.bins = list(bins)
        self.fill_from = fill_from
        self.max_moment = max_moment
        self.temporal = temporal
        self.shares = weights / weights.sum()
        self.as_released = as_released
        self.clip_length = 0.0
        self.max_clips: int | None = None
        self.ids: list[tuple[Any, Any]] = []
        self.stretches: list[list[tuple[int, float, float]]] = [[] for _ in bins]

    def prepare(
        self, records: Sequence[Record], clip_length: float, max_clips: int | None = None
    ) -> None:
        """Sort the stretches of all videos into bins.

        Args:
            records: Those of the dataset; a piece names one by its position.
            clip_length: Seconds per clip.
            max_clips: Clips that are kept of a video; longer ones are neither mixed nor taken from.
        """
        self.clip_length, self.max_clips = clip_length, max_clips
        self.ids = [(record['qid'], record['vid']) for record in records]
        self.stretches = [[] for _ in self.bins]
        for index, record in enumerate(records):
            if not self._usable(record):
                continue
            moments, rest = self._split(record)
            for start, end in (*moments, *(rest if self.fill_from == 'all' else ())):
                place = bisect_right(self.bins, end - start) - 1
                if place >= 0:
                    self.stretches[place].append((index, start, end))

    def __call__(self, record: Record, index: int, rng: np.random.Generator) -> Record:
        """Return the record that takes the place of the one at ``index``; that one is kept."""
        kind = _KINDS[rng.choice(len(_KINDS), p=self.shares)]
        if kind == 'plain' or not self._usable(record):
            return record
        if kind != 'background':
            mixed = self.foreground(record, index, rng)
            if mixed is None or kind == 'foreground':
                return mixed or record
            return self.background(mixed, index, rng) or mixed
        return self.background(record, index, rng) or record

    def arrays(
        self, record: Record, read: Callable[[int], Sequence[np.ndarray]]
    ) -> list[np.ndarray]:
        """Return the arrays of a record with ``pieces``; ``read`` gives those of an index."""
        return join_pieces(record['pieces'], read, fill=not self.as_released)

    # Foreground ----------------------------------------------------------------------------------

    def foreground(self, record: Record, index: int, rng: np.random.Generator) -> Record | None:
        """Cut the longest moment and shuffle; None if the record does not allow it."""
        moments, rest = self._split(record)
        if not rest or not moments or self._orders_events(record):
            return None
        parts = self._cut_moments(outward(moments, self.clip_length), rng)
        if parts is None:
            return None
        others = self._cut_rest(inward(rest, self.clip_length), len(parts) + 1, rng)
        if others is None:
            return None
        others = [others[i] for i in rng.permutation(len(others))]
        parts = [parts[i] for i in rng.permutation(len(parts))]
        order = [part for pair in zip(others, parts) for part in pair] + others[-1:]
        pieces = [Piece(index, part.first, part.stop) for part in order]
        return {**record, 'pieces': pieces, **self._reordered(record, order)}

    def _cut_moments(self, parts: list[Part], rng: np.random.Generator) -> list[Part] | None:
        """Cut the longest of the moments, the first of equal ones."""
        lengths = [(part.stop - part.first) * self.clip_length for part in parts]
        longest = int(np.argmax(lengths))
        if lengths[longest] < 2 * self.part_length:
            return None
        count = int(lengths[longest] // self.part_length) - 1
        pieces = cut(parts[longest], count, self.clip_length, self._step, ceil_clip, rng)
        return None if pieces is None else [*parts[:longest], *pieces, *parts[longest + 1 :]]

    def _cut_rest(
        self, parts: list[Part], wanted: int, rng: np.random.Generator
    ) -> list[Part] | None:
        """Cut what lies outside of the moments into ``wanted`` parts."""
        missing, found = wanted - len(parts), []
        for part in parts:
            length = (part.stop - part.first) * self.clip_length
            count = 0
            if missing > 0 and length >= 2 * self.part_length:
                count = min(int(length // self.part_length) - 1, missing)
            pieces = cut(part, count, self.clip_length, self._step, floor_clip, rng)
            if pieces is None:
                return None
            missing -= count
            found += pieces
        return None if missing else found

    def _reordered(self, record: Record, order: Sequence[Part]) -> dict[str, Any]:
        """Return the labels of a record whose clips play in another order; moments are odd."""
        clips = [clip for part in order for clip in range(part.first, part.stop)]
        if record.get('relevant_clip_ids') is not None:
            ids = record['relevant_clip_ids']
            row = {clip: number for number, clip in enumerate(ids)}
            kept = [place for place, clip in enumerate(clips) if clip in row]
            labels: dict[str, Any] = {'relevant_clip_ids': kept}
            if record.get('saliency_scores') is not None:
                scores = record['saliency_scores']
                labels['saliency_scores'] = [scores[row[clips[place]]] for place in kept]
        else:
            labels = {}
        if record.get('saliency') is not None:
            grades = record['saliency']
            labels['saliency'] = [grades[min(clip, len(grades) - 1)] for clip in clips]
        if self.as_released:
            labels['relevant_windows'] = self._released_windows(record, order, labels)
        else:
            labels['relevant_windows'] = self._windows(order, record['duration'])
        return labels

    def _windows(self, order: Sequence[Part], duration: float) -> list[list[float]]:
        """Return the windows of the moments, joined where nothing lies between them."""
        windows: list[list[float]] = []
        place, last = 0, -1
        for number, part in enumerate(order):
            length = max(0, part.stop - part.first)
            if number % 2 and length:
                # Seconds of the outer clips that do not belong to the moment.
                head = max(0.0, part.start - part.first * self.clip_length)
                tail = max(0.0, part.stop * self.clip_length - part.end)
                if self._step != self.clip_length:
                    head, tail = (x if x < self.clip_length else 0.0 for x in (head, tail))
                start = place * self.clip_length + head
                end = min((place + length) * self.clip_length - tail, duration)
                if place == last:
                    windows[-1][1] = end
                else:
                    windows.append([start, end])
                last = place + length
            place += length
        return windows

    def _released_windows(
        self, record: Record, order: Sequence[Part], labels: Mapping[str, Any]
    ) -> list[list[float]]:
        """Return runs of marked clips, each with the remainders of the moment of its number."""
        if 'relevant_clip_ids' in labels:
            spans = runs(labels['relevant_clip_ids'])
            return [[clip * self.clip_length for clip in span] for span in spans]
        marked: set[int] = set()
        remainders, place = [], 0
        for number, part in enumerate(order):
            length = part.stop - part.first
            if number % 2:
                marked.update(range(place, place + length))
                head = part.start - part.first * self.clip_length
                remainders.append((head, part.stop * self.clip_length - part.end))
            place += length
        return [
            [first * self.clip_length + head, stop * self.clip_length - tail]
            for (first, stop), (head, tail) in zip(runs(sorted(marked)), remainders)
        ]

    # Background ----------------------------------------------------------------------------------

    def background(self, record: Record, index: int, rng: np.random.Generator) -> Record | None:
        """Fill what lies outside of the moments; None if the record does not allow it."""
        moments, rest = self._split(record)
        if not rest or not moments or (self.temporal == 'nothing' and self._orders_events(record)):
            return None
        if min(end - start for start, end in moments) > self.max_moment:
            return None
        if self.as_released and self.clip_length <= 1 and any(t % 1 for m in moments for t in m):
            return None
        parts = outward(moments, self.clip_length)
        gaps = self._gaps(parts, rest)
        fillings = {}
        for gap in gaps:
            filling = self._draw(gap, index, rng)
            if filling is None:
                return None
            fillings[gap] = filling
        pieces: list[Piece] = []
        for part in sorted((*parts, *gaps), key=lambda part: part.start):
            if part in fillings:
                pieces.append(fillings[part])
            elif 'pieces' in record and not self.as_released:
                pieces += slice_pieces(record['pieces'], part.first, part.stop)
            else:
                pieces.append(Piece(index, part.first, part.stop))
        mixed = {**record, 'pieces': pieces}
        if record.get('saliency') is not None:
            inside = {clip for part in parts for clip in range(part.first, part.stop)}
            mixed['saliency'] = [
                grade if clip in inside else 0 for clip, grade in enumerate(record['saliency'])
            ]
        return mixed

    def _gaps(self, parts: Sequence[Part], rest: Sequence[Span]) -> list[Part]:
        """Return the stretches outside of the moments; their clips are those that no moment has."""
        gaps = []
        for start, end in rest:
            first = max((part.stop for part in parts if part.end <= start), default=0)
            after = (part.first for part in parts if part.start >= end)
            stop = min(after, default=floor_clip(end, self.clip_length))
            gaps.append(Part(first, max(first, stop), start, end))
        return gaps

    def _draw(self, gap: Part, index: int, rng: np.random.Generator) -> Piece | None:
        """Draw what fills a gap; None if the bin holds no stretch of another query and video."""
        length, clips = gap.end - gap.start, gap.stop - gap.first
        place = bisect_left(self.bins, length)
        stretches = self.stretches[place] if place < len(self.bins) else []
        qid, vid = self.ids[index]

        def fits(stretch: tuple[int, float, float]) -> bool:
            other, start, end = stretch
            return (
                self.ids[other][0] != qid
                and self.ids[other][1] != vid
                and (self.as_released or self._clips_in(start, end) >= clips)
            )

        if not any(map(fits, stretches)):
            return None
        while True:
            stretch = stretches[int(rng.integers(len(stretches)))]
            if fits(stretch):
                break
        other, start, _ = stretch
        first = ceil_clip(start, self.clip_length)
        if self.as_released:
            return Piece(other, first, floor_clip(start + length, self.clip_length))
        return Piece(other, first, first + clips)

    def _clips_in(self, start: float, end: float) -> int:
        return floor_clip(end, self.clip_length) - ceil_clip(start, self.clip_length)

    # Both ----------------------------------------------------------------------------------------

    @property
    def _step(self) -> float:
        return self.clip_length if self.cut_step is None else self.cut_step

    def _usable(self, record: Record) -> bool:
        if not record.get('relevant_windows') or record.get('label'):
            return False
        return self.max_clips is None or implied_clips(record, self.clip_length) <= self.max_clips

    def _split(self, record: Record) -> tuple[list[Span], list[Span]]:
        end = record['duration']
        if self.as_released and record.get('relevant_clip_ids') is not None:
            end = ceil_clip(end, self.clip_length) * self.clip_length
        return split_video(record, end)

    def _orders_events(self, record: Record) -> bool:
        return is_temporal(record['query'], whole_words=not self.as_released)
