# SPDX-License-Identifier: Apache-2.0
"""What a search finds: scores as the model gives them, and a relevance from 0 to 1 beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vtg.apis.inference import GroundingResult
from vtg.evaluation.records import moments_to_lists
from vtg.models.task_modules.nms import temporal_nms
from vtg.structures import MomentList


@dataclass(frozen=True)
class Moment:
    """A part of a video that fits a query.

    Attributes:
        video: The file.
        start, end: Seconds.
        score: What the moments were ranked by, in the model's own unit.
        relevance: From 0 to 1, see :class:`Answer`.
    """

    video: Path
    start: float
    end: float
    score: float
    relevance: float


@dataclass(frozen=True)
class Answer:
    """What was found for one query in all videos.

    The relevance of a clip is its place between the lowest (0) and the highest (1) clip score of
    everything that was searched for this query: scores of models are of any sign and size, and a
    negative one says nothing by itself. That of a moment is the mean of its clips. So the best clip
    has relevance 1 even where nothing fits; compare scores of several queries to see that.

    Attributes:
        query: The sentence.
        files: The videos.
        results: What the model says about each.
    """

    query: str
    files: Sequence[Path]
    results: Sequence[GroundingResult]

    @cached_property
    def _range(self) -> tuple[float, float]:
        scores = [score for result in self.results for score in result.saliency]
        scores = scores or [row[2] for result in self.results for row in result.moments] or [0.0]
        return min(scores), max(scores)

    def relevance(self, scores: Sequence[float]) -> np.ndarray:
        """Map scores of clips, or of moments where the model scores no clips, to [0, 1]."""
        low, high = self._range
        return (np.asarray(scores, dtype=np.float64) - low) / max(high - low, 1e-12)

    def moments(self, top: int | None = None) -> list[Moment]:
        """The best different moments of all videos by falling score."""
        found = [
            (score, start, end, place)
            for place, rows in enumerate(self._distinct)
            for start, end, score in rows[:top]
        ]
        found.sort(key=lambda row: -row[0])
        # The relevance of those that are shown alone: there are some in each of hundreds of videos.
        return [
            Moment(
                self.files[place], start, end, score, self._relevance_of(place, start, end, score)
            )
            for score, start, end, place in found[:top]
        ]

    @cached_property
    def _distinct(self) -> list[list[list[float]]]:
        """What :meth:`GroundingResult.distinct` gives for every video, of all at once."""
        tables = [
            torch.tensor(result.moments, dtype=torch.float64).reshape(-1, 3)
            for result in self.results
        ]
        rows = torch.nn.utils.rnn.pad_sequence(tables, batch_first=True)
        mask = torch.arange(rows.shape[1]) < torch.tensor(list(map(len, tables)))[:, None]
        kept = temporal_nms(MomentList(rows[..., :2], rows[..., 2], mask), 0.5)
        return moments_to_lists(kept, digits=None)

    def _relevance_of(self, place: int, start: float, end: float, score: float) -> float:
        result = self.results[place]
        if not result.saliency:
            return float(self.relevance([score])[0])
        clips = self.relevance(result.saliency)
        first = min(int(start / result.clip_length + 0.5), len(clips) - 1)
        last = max(first + 1, int(end / result.clip_length + 0.5))
        return float(clips[first:last].mean())

    def to_dict(self, top: int | None = None) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {
            'query': self.query,
            'moments': [{**vars(item), 'video': str(item.video)} for item in self.moments(top)],
            'videos': [
                {
                    'video': str(file),
                    'duration': result.duration,
                    'clip_length': result.clip_length,
                    'saliency': list(result.saliency),
                    'relevance': self.relevance(result.saliency).round(4).tolist(),
                }
                for file, result in zip(self.files, self.results)
            ],
        }
