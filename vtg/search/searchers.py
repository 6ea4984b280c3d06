# SPDX-License-Identifier: Apache-2.0
"""The two ways to search encoded videos: by similarity alone, and by a trained model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from vtg.apis.inference import EncodedVideo, GroundingResult, Inferencer
from vtg.engine import load_config
from vtg.evaluation.records import to_records
from vtg.extraction.encoders import Encoder
from vtg.registry import MODELS
from vtg.utils import ConfigError, shipped

from .answers import Answer
from .encoding import LONGEST, EncodedFile, Steps, encode_steps

_MOST_CLIPS = 1 << 15
"""Padded clips that are scored together."""


class ZeroShotSearcher:
    """Searches without training, by the config ``zero_shot/custom``.

    The mean clip that is taken away is that of all videos searched: what all of them share tells
    nothing about where a moment is, and scores of several videos can be compared.

    Args:
        encoder: Of clips and sentences.
        clip_length: Seconds per clip.
    """

    def __init__(self, encoder: Encoder, clip_length: float) -> None:
        self.encoder = encoder
        self.clip_length = clip_length
        cfg = load_config(shipped('configs') / 'zero_shot' / 'custom.py')
        cfg.model.saliency_head.centre = False
        self.model = MODELS.build(cfg.model).eval()

    @torch.inference_mode()
    def __call__(self, videos: Sequence[EncodedFile], queries: Sequence[str]) -> list[Answer]:
        """Find the moments of sentences; one answer per query."""
        text = torch.from_numpy(
            np.stack([self.encoder.encode_text(query).pooled for query in queries])
        ).float()
        centre = self._centre(videos)
        found: list[list[GroundingResult | None]] = [[None] * len(videos) for _ in queries]
        for rows in _parts([len(video.features) for video in videos]):
            clips = [_unit(videos[row]) - centre for row in rows]
            batch = torch.nn.utils.rnn.pad_sequence(clips, batch_first=True)
            mask = torch.arange(batch.shape[1]) < torch.tensor(list(map(len, clips)))[:, None]
            duration = torch.tensor([videos[row].duration for row in rows])
            index = torch.arange(len(rows)).repeat(len(queries))
            said = text.repeat_interleave(len(rows), dim=0).unsqueeze(1)
            prediction = self.model(
                batch[index], mask[index], said, torch.ones(len(index), 1, dtype=torch.bool),
                duration[index], meta=[{'qid': 0, 'query': '', 'vid': ''}] * len(index),
                mode='predict',
            )  # fmt: skip
            for number, record in enumerate(to_records(prediction)):
                query, row = number // len(rows), rows[number % len(rows)]
                found[query][row] = self._result(queries[query], videos[row], record)
        files = [video.path for video in videos]
        return [
            Answer(query, files, [item for item in row if item is not None])
            for query, row in zip(queries, found)
        ]

    def _centre(self, videos: Sequence[EncodedFile]) -> torch.Tensor:
        """Mean ``(D,)`` of all clips, each of unit length."""
        total = sum(_unit(video).double().sum(0) for video in videos)
        count = sum(len(video.features) for video in videos)
        return (torch.as_tensor(total) / max(count, 1)).float()

    def _result(self, query: str, video: EncodedFile, record: dict) -> GroundingResult:
        return GroundingResult(
            query=query,
            vid=video.path.stem,
            duration=video.duration,
            clip_length=self.clip_length,
            moments=record['pred_relevant_windows'],
            saliency=record['pred_saliency_scores'],
        )


def _unit(video: EncodedFile) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.from_numpy(video.features).float(), dim=-1)


def _parts(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Split rows, longest first, into parts that are not much larger than what they hold."""
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    while order:
        count = max(1, _MOST_CLIPS // max(lengths[order[0]], 1))
        # Much shorter ones wait, so that padding stays a part of the work.
        fitting = [row for row in order[:count] if 2 * lengths[row] >= lengths[order[0]]]
        yield fitting
        order = order[len(fitting) :]


@dataclass(frozen=True)
class PreparedFile:
    """A video file as a trained model encodes it without a query."""

    path: Path
    video: EncodedVideo


class TrainedSearcher:
    """Searches with a trained model.

    Args:
        inferencer: The model; its encoders are needed for sentences.
    """

    def __init__(self, inferencer: Inferencer) -> None:
        if not inferencer.text_encoders:
            raise ConfigError('a trained model needs the encoders of its features; give --encoder.')
        self.inferencer = inferencer

    def prepare(self, video: EncodedFile | str) -> PreparedFile:
        """Encode a video file, or features, as far as the model can without a query."""
        if isinstance(video, EncodedFile):
            encoded = self.inferencer.encode(video.features, duration=video.duration)
            return PreparedFile(video.path, encoded)
        return PreparedFile(Path(video), self.inferencer.encode(video))

    def steps(self, path: Path, longest: float = LONGEST) -> Steps:
        """Like :meth:`prepare` of a file, piece by piece, for a display of progress."""
        arrays, seconds, encoders = [], 0.0, self.inferencer.encoders
        for number, encoder in enumerate(encoders):
            steps = encode_steps(encoder, path, self.inferencer.clip_length, longest)
            try:
                while True:
                    done, total = next(steps)
                    yield number * total + done, len(encoders) * total
            except StopIteration as end:
                features, seconds = end.value
                arrays.append(features)
        return PreparedFile(path, self.inferencer.encode(arrays, duration=seconds))

    def __call__(
        self, videos: Sequence[EncodedFile | PreparedFile | str], queries: Sequence[str]
    ) -> list[Answer]:
        """Find the moments of sentences in encoded videos or video files; one answer per query."""
        files, rows = [], []
        for video in videos:
            prepared = video if isinstance(video, PreparedFile) else self.prepare(video)
            files.append(prepared.path)
            rows.append(self.inferencer.ground(prepared.video, queries))
        return [
            Answer(query, files, [row[number] for row in rows])
            for number, query in enumerate(queries)
        ]
