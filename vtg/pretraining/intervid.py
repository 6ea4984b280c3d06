# SPDX-License-Identifier: Apache-2.0
"""The labels of InterVid-MR: pure functions from captions and similarities to windows and grades.

Gordeev et al., "Saliency-Guided DETR for Moment Retrieval and Highlight Detection", 2024. The paper
gives the method; where it leaves a choice open, the docstring names the one taken here.
"""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

STOP_PHRASES = (
    'unknown', 'untitled', 'black screen', 'blank screen', 'no description', 'loading',
)  # fmt: skip
# A caption is kept at S = S_min: with one clip the deviation is 0 and a strict rule would drop it.
_TOLERANCE = 1e-9
_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")


@dataclass(frozen=True)
class CaptionFilter:
    """Which captions mean something; the paper removes meaningless ones without giving rules.

    Args:
        min_words, max_words: Limits of the number of words.
        min_alphabetic: Least share of letters among the characters, spaces left out.
        min_distinct: Least share of distinct words.
        stop_phrases: Captions with one of these are dropped.
        max_videos: Captions of more videos than this are dropped.
    """

    min_words: int = 4
    max_words: int = 40
    min_alphabetic: float = 0.6
    min_distinct: float = 0.5
    stop_phrases: Sequence[str] = STOP_PHRASES
    max_videos: int = 20

    def reason(self, caption: str) -> str | None:
        """Say why one caption is dropped, None where it is kept."""
        text = caption.strip().lower()
        words = _WORD.findall(text)
        if not self.min_words <= len(words) <= self.max_words:
            return 'number of words'
        characters = [character for character in text if not character.isspace()]
        if sum(map(str.isalpha, characters)) < self.min_alphabetic * len(characters):
            return 'not alphabetic'
        if len(set(words)) < self.min_distinct * len(words):
            return 'repetition'
        padded = f' {" ".join(words)} '
        if any(f' {phrase} ' in padded for phrase in self.stop_phrases):
            return 'stop phrase'
        return None


def filter_captions(
    videos: Sequence[str], captions: Sequence[str], rules: CaptionFilter
) -> list[str | None]:
    """Return for every caption why it is dropped, or None.

    The number of videos of a caption counts its normalised text over the whole list.
    """
    owners: dict[str, set[str]] = {}
    keys = [caption.strip().lower() for caption in captions]
    for video, key in zip(videos, keys):
        found = owners.setdefault(key, set())
        if len(found) <= rules.max_videos:
            found.add(video)
    reasons = {key: rules.reason(key) for key in owners}
    return [
        reasons[key] or ('too common' if len(owners[key]) > rules.max_videos else None)
        for key in keys
    ]


def interval_problem(start: float, end: float, duration: float, longest: float = 150.0) -> str:
    """Say why an annotated interval is dropped, ``''`` where it is kept."""
    if end <= start:
        return 'no length'
    if end > duration + 1:
        return 'outside the video'
    return 'too long' if end - start > longest else ''


def crop_window(
    video: str,
    caption: str,
    start: float,
    end: float,
    duration: float,
    longest: float = 150.0,
    clip_length: float = 2.0,
) -> tuple[float, float]:
    """Choose a part of the video of at most ``longest`` seconds around an interval.

    The position is uniform among those that contain the interval, from a generator seeded by the
    CRC-32 of ``video|caption``, so that it is the same in every process and run. Ends lie on the
    grid of clips, so the clips of the part are clips of the video.

    Returns:
        ``(start, length)`` in seconds.
    """

    def floor(seconds: float) -> float:
        return np.floor(seconds / clip_length + 1e-9) * clip_length

    length = floor(min(longest, duration))
    low, high = max(0.0, min(end, duration) - length), min(start, duration - length)
    seed = zlib.crc32(f'{video}|{caption}'.encode())
    begin = np.random.default_rng(seed).uniform(low, high) if high > low else low
    return float(min(floor(begin), floor(start))), float(length)


@dataclass(frozen=True)
class MomentLabels:
    """The labels of one caption in a part of L clips.

    Attributes:
        original: ``(L,)`` bool, clips of the annotated interval.
        positive: ``(L,)`` bool, clips at least as similar as ``s_min``.
        windows: ``(K, 2)`` seconds, runs of positive clips.
        grades: ``(L,)`` int, 1 to 4 on positive clips, else 0.
        s_min: Least similarity of a positive clip.
        mean, std: Of the similarities of positive clips.
    """

    original: np.ndarray
    positive: np.ndarray
    windows: np.ndarray
    grades: np.ndarray
    s_min: float
    mean: float
    std: float


def original_clips(
    start: float, end: float, num_clips: int, clip_length: float = 2.0
) -> np.ndarray:
    """Clips ``(L,)`` bool of which more than half lies in the interval.

    There is at least one: the first of those that share most with the interval.
    """
    begin = np.arange(num_clips) * clip_length
    overlap = np.minimum(end, begin + clip_length) - np.maximum(start, begin)
    inside = overlap > clip_length / 2
    if not inside.any():
        inside[int(overlap.argmax())] = True
    return inside


def runs(mask: np.ndarray, clip_length: float = 2.0) -> np.ndarray:
    """Turn ``(L,)`` bool into the seconds ``(K, 2)`` of its maximal runs."""
    edges = np.diff(np.concatenate([[0], mask.astype(np.int8), [0]]))
    ends = np.stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)], axis=1)
    return ends * float(clip_length)


def label_moments(
    similarity: np.ndarray, start: float, end: float, clip_length: float = 2.0
) -> MomentLabels:
    """Find all clips that match a caption as well as its annotated interval does, and grade them.

    Equations 16 to 18 of the paper. ``s_min`` is the mean less three deviations over the annotated
    clips. Grades compare with mean and deviation over the positive clips: 4 above 1.5 deviations, 3
    above the mean, 2 above -1.5 deviations, else 1. Deviations are those of the population, so that
    one clip has one; where it is 0 all grades are 2.

    Args:
        similarity: ``(L,)`` cosine similarity of every clip and the caption.
        start, end: The annotated interval in seconds from the first clip.
        clip_length: Seconds per clip.
    """
    similarity = np.asarray(similarity, dtype=np.float64)
    original = original_clips(start, end, len(similarity), clip_length)
    s_min = similarity[original].mean() - 3 * similarity[original].std()
    positive = similarity >= s_min - _TOLERANCE
    mean, std = similarity[positive].mean(), similarity[positive].std()
    if std <= _TOLERANCE:
        grades = np.full(len(similarity), 2)
    else:
        limits = (mean - 1.5 * std, mean, mean + 1.5 * std)
        grades = 1 + sum((similarity > limit).astype(int) for limit in limits)
    return MomentLabels(
        original,
        positive,
        runs(positive, clip_length),
        np.where(positive, grades, 0),
        float(s_min),
        float(mean),
        float(std),
    )
