# SPDX-License-Identifier: Apache-2.0
"""A dataset that needs no download."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from vtg.datasets.annotations import check_records
from vtg.datasets.grounding import GroundingDataset
from vtg.datasets.samples import LabelOptions
from vtg.registry import DATASETS
from vtg.utils import ConfigError, Record

from .words import make_query
from .world import keyed_generator

# Share of the videos that two queries ask about.
_TWO_QUERIES = 0.25


def _place(widths: list[int], num_clips: int, rng: np.random.Generator) -> list[int]:
    """Place segments in this order, at least two clips apart; return the starts."""
    slack = num_clips - sum(widths) - 2 * (len(widths) - 1)
    offsets = np.sort(rng.integers(0, slack + 1, size=len(widths)))
    before = np.cumsum([0] + [width + 2 for width in widths[:-1]])
    return (offsets + before).tolist()


def _grades(width: int, rng: np.random.Generator) -> np.ndarray:
    """Grades 0 to 4 of three annotators for the clips of one moment, ``(width, 3)``.

    A moment is clearest in its middle; annotators differ by a bias and by chance.
    """
    position = (np.arange(width) + 0.5) / width
    clarity = rng.uniform(3.7, 4.7) - 1.6 * (2 * position - 1) ** 2
    bias = rng.normal(0, 0.3, 3)
    noise = rng.normal(0, 0.3, (width, 3))
    return np.clip(np.rint(clarity[:, None] + bias + noise), 0, 4).astype(int)


@DATASETS.register_module()
class SimulatedDataset(GroundingDataset):
    """Queries, videos with one or several moments and graded highlights, in QVHighlights' format.

    Videos are numbered; each is made from its number and the seed alone. Splits are disjoint ranges
    of numbers in the same world: equal words, equal projections, other sentences and videos.

    Args:
        num_samples: Number of queries.
        first_video: Number of the first video; 100000 apart is enough for any split here.
        seed: Seed of the annotations.
        world_seed: Seed of the words and projections, the same for every split.
        num_clips: Least and greatest number of clips of a video.
        max_moments: Greatest number of moments of a query.
        moment_clips: Least and greatest number of clips of a moment.
        video_dims: Width of the features of every video backbone.
        text_dim: Width of the text features.
        difficulty: From 0 (easy) to 1, see :class:`vtg.datasets.simulated.timeline.Difficulty`.
        labels: The saliency labels are :class:`~vtg.datasets.saliency.AnnotatorSum` unless it says
            otherwise.
        kwargs: See :class:`GroundingDataset`; ``video`` and ``text`` stand for the simulated
            stores that the arguments describe.
    """

    def __init__(
        self,
        num_samples: int = 512,
        first_video: int = 0,
        seed: int = 0,
        world_seed: int = 0,
        num_clips: tuple[int, int] = (20, 40),
        max_moments: int = 3,
        moment_clips: tuple[int, int] = (2, 12),
        video_dims: Sequence[int] = (64,),
        text_dim: int = 64,
        difficulty: float = 0.5,
        labels: LabelOptions | None = None,
        **kwargs: Any,
    ) -> None:
        if moment_clips[0] < 1 or num_clips[0] < 4 * moment_clips[0] + 2:
            raise ConfigError(
                f'videos of {num_clips[0]} clips cannot hold moments of {moment_clips[0]}: set '
                f'num_clips[0] to at least {4 * max(1, moment_clips[0]) + 2}.'
            )
        if not video_dims:
            raise ConfigError('video_dims is empty; give the width of at least one video feature.')
        self.num_samples = num_samples
        self.first_video = first_video
        self.seed = seed
        self.num_clips = tuple(num_clips)
        self.max_moments = max_moments
        self.moment_clips = tuple(moment_clips)
        world = {'world_seed': world_seed}
        video = [
            {'type': 'SimulatedVideo', 'dim': dim, 'backbone': f'video{i}'}
            for i, dim in enumerate(video_dims)
        ]
        stores = {
            'video': [store | world | {'difficulty': difficulty} for store in video],
            'text': {'type': 'SimulatedText', 'dim': text_dim} | world,
        }
        super().__init__(
            labels={'saliency': {'type': 'AnnotatorSum'}, **(labels or {})},
            **{**stores, **kwargs},
        )

    def load_data_list(self) -> list[Record]:
        """Make the annotations of all videos that the first ``num_samples`` queries need."""
        records: list[Record] = []
        number = self.first_video
        while len(records) < self.num_samples:
            records += self._make_video(number)
            number += 1
        check_records(records, type(self).__name__)
        # The stores see every query of a video, also of those that num_samples cuts off.
        return self.bind(records, type(self).__name__)[: self.num_samples]

    def _make_video(self, number: int) -> list[Record]:
        """Return the one or two records of a video."""
        rng = keyed_generator(self.seed, 'annotation', number)
        num_clips = int(rng.integers(self.num_clips[0], self.num_clips[1] + 1))
        num_queries = 1 + int(rng.random() < _TWO_QUERIES)
        moments = self._moments(num_queries, num_clips, rng)
        duration = num_clips * self.clip_length
        vid = f'sim{self.seed}-{number:06d}_0.0_{duration:.1f}'
        return [
            self._record(f'{vid}_{i}', vid, duration, moments[i], rng) for i in range(num_queries)
        ]

    def _moments(
        self, num_queries: int, num_clips: int, rng: np.random.Generator
    ) -> list[list[tuple[int, int]]]:
        """Return ``(start, width)`` in clips of the moments of every query, without overlap."""
        least, most = self.moment_clips
        # No more than clips, whatever may be asked for.
        wanted = [
            min(int(rng.integers(1, self.max_moments + 1)), num_clips) for _ in range(num_queries)
        ]
        # The first moment of every query comes first, so that none is left without room.
        owners = list(range(num_queries))
        owners += [query for query, count in enumerate(wanted) for _ in range(count - 1)]
        # Moments and one clip beside each fill at most half of the video.
        room = num_clips // 2 + 1
        kept: list[tuple[int, int]] = []
        for position, owner in enumerate(owners):
            reserved = (num_queries - position - 1) * (least + 1) if position < num_queries else 0
            width = min(int(rng.integers(least, most + 1)), room - reserved - 1)
            if width >= least:
                room -= width + 1
                kept.append((owner, width))
        order = rng.permutation(len(kept))
        starts = _place([kept[i][1] for i in order], num_clips, rng)
        moments: list[list[tuple[int, int]]] = [[] for _ in range(num_queries)]
        for index, start in zip(order, starts):
            owner, width = kept[index]
            moments[owner].append((start, width))
        return moments

    def _record(
        self,
        qid: str,
        vid: str,
        duration: float,
        moments: list[tuple[int, int]],
        rng: np.random.Generator,
    ) -> Record:
        spans = [(start, start + width) for start, width in moments]
        grades = [_grades(width, rng) for _, width in moments]
        return {
            'qid': qid,
            'query': make_query(rng),
            'vid': vid,
            'duration': duration,
            'relevant_windows': (np.asarray(spans) * self.clip_length).tolist(),
            'relevant_clip_ids': [clip for span in spans for clip in range(*span)],
            'saliency_scores': np.concatenate(grades).tolist(),
        }
