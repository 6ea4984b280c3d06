# SPDX-License-Identifier: Apache-2.0
"""What happens in a simulated video, clip by clip, in the latent space of the world."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .words import CONTENT_WORDS, content_words
from .world import LATENT_DIM, keyed_generator, meaning


@dataclass(frozen=True)
class Event:
    """A query that leaves its trace in a video.

    Attributes:
        words: The content words of the query.
        clips: ``(R,)`` the clips that show it.
        strength: ``(R,)`` how clearly, in [0, 1].
    """

    words: tuple[str, ...]
    clips: np.ndarray
    strength: np.ndarray


def event_of(record: dict[str, Any], clip_length: float) -> Event:
    """Turn an annotation into an event; without grades every clip shows the query clearly."""
    if record.get('label'):
        return _rated_event(record)
    windows = record.get('relevant_windows') or []
    clips, scores = record.get('relevant_clip_ids'), record.get('saliency_scores')
    if not clips:
        clips = [
            clip
            for start, end in windows
            for clip in range(int(start / clip_length), max(1, round(end / clip_length)))
        ]
        scores = None
    clips = np.asarray(clips, dtype=np.int64)
    strength: np.ndarray = np.ones(len(clips), dtype=np.float32)
    if scores:
        # Annotators grade from 0 to 4; a poor clip still shows the query, only less clearly.
        grades = np.asarray([sum(row) / len(row) for row in scores], dtype=np.float32)
        strength = 0.6 + 0.4 * grades / 4
    return Event(tuple(content_words(record['query'])), clips, strength)


def _rated_event(record: dict[str, Any]) -> Event:
    """A video that rates every clip shows its query the more clearly, the better a clip is."""
    ratings = np.asarray(record['label'], dtype=np.float32).mean(1)
    spread = ratings.max() - ratings.min()
    strength = (ratings - ratings.min()) / (spread if spread > 0 else 1)
    clips = np.flatnonzero(strength > 0)
    return Event(tuple(content_words(record['query'])), clips, strength[clips])


@dataclass(frozen=True)
class Difficulty:
    """What one number in [0, 1] stands for.

    Attributes:
        noise: Norm of the latent noise of a clip; a clearly shown query has norm 1.
        background: Share of the other clips in which something else happens.
        near_miss: Share of these events that take all but one of the words of a query.
        distractor: Share of videos whose background consists of near misses only.
    """

    noise: float
    background: float
    near_miss: float
    distractor: float

    @classmethod
    def of(cls, difficulty: float) -> 'Difficulty':
        """The parts of one number from 0, easy, to 1."""
        d = float(difficulty)
        return cls(0.2 + 0.8 * d, 0.4 + 0.6 * d, 0.4 * d, 0.4 * d)


def _background_words(words: Sequence[str], near_miss: bool, rng: np.random.Generator) -> list[str]:
    """Mix words of a query with others: all but one if ``near_miss``, else at most one."""
    shared = max(1, len(words) - 1) if near_miss else int(rng.integers(0, 2))
    kept = [words[i] for i in rng.permutation(len(words))[:shared]] if shared < len(words) else []
    others = [word for word in CONTENT_WORDS if word not in words]
    filler = [others[i] for i in rng.permutation(len(others))[: max(1, 3 - len(kept))]]
    return [*kept, *filler]


def video_timeline(
    vid: str, events: Sequence[Event], num_clips: int, difficulty: Difficulty, world_seed: int
) -> np.ndarray:
    """Return the latent clips ``(num_clips, LATENT_DIM)`` of a video.

    They are the sum of a scene that stays, the traces of its queries, events in the background
    wherever no query is shown, and noise.
    """
    rng = keyed_generator(world_seed, 'timeline', vid)
    shape = (num_clips, LATENT_DIM)
    noise_scale = np.float32(difficulty.noise / np.sqrt(LATENT_DIM))
    scene_scale = np.float32(0.5 / np.sqrt(LATENT_DIM))
    clips = rng.standard_normal(shape, dtype=np.float32) * noise_scale
    clips += rng.standard_normal(LATENT_DIM, dtype=np.float32) * scene_scale

    free = np.ones(num_clips, dtype=bool)
    for event in events:
        inside = event.clips < num_clips
        shown = event.clips[inside]
        clips[shown] += event.strength[inside, None] * meaning(world_seed, list(event.words))
        free[shown] = False

    near_only = rng.random() < difficulty.distractor
    start = 0
    while start < num_clips and events:
        end = start + int(rng.integers(2, 9))
        words = events[int(rng.integers(len(events)))].words
        near_miss = near_only or rng.random() < difficulty.near_miss
        if rng.random() < difficulty.background:
            segment = np.flatnonzero(free[start:end]) + start
            clips[segment] += meaning(world_seed, _background_words(words, near_miss, rng))
        start = end
    return clips
