# SPDX-License-Identifier: Apache-2.0
"""Simulated data in the shape of other benchmarks: one window per query, or rated clips.

The numbers of a benchmark (lengths, queries per video, domains) stand in its config, see
``configs/_base_/benchmarks/*_simulated.py``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from vtg.datasets.annotations import check_records, in_seconds
from vtg.datasets.grounding import GroundingDataset
from vtg.registry import DATASETS
from vtg.utils import Record

from .words import make_query
from .world import keyed_generator

Spread = Sequence[float]


def draw_spread(rng: np.random.Generator, spread: Spread) -> float:
    """Draw from a distribution with a given least value, median and greatest value.

    Each half is uniform in the logarithm, which comes close to lengths of videos and moments.
    """
    quantile = rng.random()
    low, high = spread[:2] if quantile < 0.5 else spread[1:]
    return float(low * (high / low) ** (2 * quantile % 1))


class _SimulatedBenchmark(GroundingDataset):
    """What both kinds share.

    Args:
        first_video: Number of the first video; 100000 apart is enough for any split here.
        seed: Seed of the annotations.
        world_seed: Seed of the words and projections, the same for every split.
        video_seconds: Least, median and greatest length of a video.
        video_dims, text_dim: Widths of the features.
        difficulty: From 0 (easy) to 1, see :class:`vtg.datasets.simulated.timeline.Difficulty`.
        kwargs: See :class:`GroundingDataset`.
    """

    def __init__(
        self,
        first_video: int = 0,
        seed: int = 0,
        world_seed: int = 0,
        video_seconds: Spread = (20.0, 60.0, 150.0),
        video_dims: Sequence[int] = (64,),
        text_dim: int = 64,
        difficulty: float = 0.5,
        **kwargs: Any,
    ) -> None:
        self.first_video = first_video
        self.seed = seed
        self.video_seconds = tuple(video_seconds)
        world = {'world_seed': world_seed}
        store = {'type': 'SimulatedVideo', 'difficulty': difficulty, **world}
        super().__init__(
            video=[store | {'dim': d, 'backbone': f'video{i}'} for i, d in enumerate(video_dims)],
            text={'type': 'SimulatedText', 'dim': text_dim, **world},
            **kwargs,
        )

    def make_records(self) -> list[Record]:
        """Make the annotations."""
        raise NotImplementedError

    def load_data_list(self) -> list[Record]:
        """Make the annotations and check them like those of a file."""
        name, records = type(self).__name__, self.make_records()
        check_records(records, name, self.labelling.fields)
        records = [in_seconds(r, self.clip_length, self.duration_unit) for r in records]
        return self.settle(records, name)


@DATASETS.register_module()
class SimulatedMoments(_SimulatedBenchmark):
    """Queries with windows and nothing else, as in Charades-STA and TACoS.

    Args:
        num_videos: Number of videos.
        queries: Least and greatest number of queries of a video.
        moments: Least and greatest number of windows of a query; from 0, some have no moment.
        moment_seconds: Least, median and greatest length of a window.
        kwargs: See :class:`_SimulatedBenchmark` and :class:`GroundingDataset`.
    """

    def __init__(
        self,
        num_videos: int = 256,
        queries: tuple[int, int] = (1, 3),
        moments: tuple[int, int] = (1, 1),
        moment_seconds: Spread = (2.0, 8.0, 40.0),
        **kwargs: Any,
    ) -> None:
        self.num_videos = num_videos
        self.queries = tuple(queries)
        self.moments = tuple(moments)
        self.moment_seconds = tuple(moment_seconds)
        super().__init__(**kwargs)

    def make_records(self) -> list[Record]:
        """Make one to several queries per video, their windows to a hundredth of a second."""
        numbers = range(self.first_video, self.first_video + self.num_videos)
        return [record for number in numbers for record in self._video(number)]

    def _video(self, number: int) -> list[Record]:
        rng = keyed_generator(self.seed, 'moments', number)
        duration = round(draw_spread(rng, self.video_seconds), 2)
        vid = f'sim{self.seed}-{number:06d}'
        return [
            {
                'qid': f'{vid}_{index}',
                'query': f'{make_query(rng)}.',
                'vid': vid,
                'duration': duration,
                'relevant_windows': sorted(self._windows(duration, rng)),
            }
            for index in range(rng.integers(self.queries[0], self.queries[1] + 1))
        ]

    def _windows(self, duration: float, rng: np.random.Generator) -> list[list[float]]:
        count = int(rng.integers(self.moments[0], self.moments[1] + 1))
        # Equal parts of the video keep the windows of a query apart.
        part = duration / max(count, 1)
        windows = []
        for index in range(count):
            length = min(draw_spread(rng, self.moment_seconds), 0.9 * part)
            start = part * index + rng.uniform(0, part - length)
            start, end = round(start, 2), min(round(start + length, 2), duration)
            windows.append([start, max(end, round(start + 0.01, 2))])
        return windows


@DATASETS.register_module()
class SimulatedRatings(_SimulatedBenchmark):
    """Videos whose clips are rated, by domain, as in TVSum and YouTube Highlights.

    Some peaks of interest rise in every video; raters see them with a bias and noise.

    Args:
        domains: Number of videos of every domain.
        raters: Ratings per clip.
        levels: Least and greatest rating.
        query: ``'title'``: a sentence per video; ``'domain'``: the name of the domain.
        kwargs: See :class:`_SimulatedBenchmark` and :class:`GroundingDataset`.
    """

    def __init__(
        self,
        domains: Mapping[str, int],
        raters: int = 20,
        levels: tuple[int, int] = (1, 5),
        query: Literal['title', 'domain'] = 'title',
        **kwargs: Any,
    ) -> None:
        self.domains = dict(domains)
        self.raters = raters
        self.levels = tuple(levels)
        self.query = query
        super().__init__(**kwargs)

    def make_records(self) -> list[Record]:
        """Make one record per video."""
        return [
            self._video(domain, self.first_video + index)
            for domain, count in self.domains.items()
            for index in range(count)
        ]

    def _video(self, domain: str, number: int) -> Record:
        rng = keyed_generator(self.seed, 'ratings', domain, number)
        num_clips = max(4, int(draw_spread(rng, self.video_seconds) / self.clip_length))
        vid = f'sim{self.seed}-{domain}-{number:06d}'
        seconds = num_clips * self.clip_length
        return {
            'qid': vid,
            'query': domain if self.query == 'domain' else make_query(rng),
            'vid': vid,
            'duration': num_clips if self.duration_unit == 'clips' else seconds,
            'relevant_windows': None,
            'relevant_clip_ids': None,
            'label': self._ratings(num_clips, rng),
            'domain': domain,
        }

    def _ratings(self, num_clips: int, rng: np.random.Generator) -> list[list[float]]:
        peaks = rng.integers(1, 5)
        centre = rng.uniform(0, num_clips, (peaks, 1))
        width = rng.uniform(0.03, 0.12, (peaks, 1)) * num_clips + 0.5
        interest = np.exp(-(((np.arange(num_clips) - centre) / width) ** 2) / 2).max(0)
        low, high = self.levels
        bias, noise = rng.normal(0, 0.1, self.raters), rng.normal(0, 0.1, (num_clips, self.raters))
        seen = low + (high - low) * (interest[:, None] + bias + noise)
        ratings = np.clip(np.rint(seen), low, high)
        # The best and the worst clip differ for every rater.
        ratings[interest.argmax()], ratings[interest.argmin()] = high, low
        return ratings.tolist()
