# SPDX-License-Identifier: Apache-2.0
"""Moments and highlights of your own videos, from files or from features."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from vtg.datasets import GroundingDataset, collate
from vtg.datasets.stores import FeatureStore, check_features, read_feature_file
from vtg.datasets.stores.files import stored_number
from vtg.engine import load_config
from vtg.engine.checkpoint import load_weights
from vtg.evaluation.records import moments_to_lists, to_records
from vtg.extraction import decode_video, encode_video
from vtg.extraction.encoders import Encoder
from vtg.extraction.encoders.base import as_device
from vtg.models.task_modules.nms import temporal_nms
from vtg.registry import DATASETS, ENCODERS, MODELS
from vtg.structures import MomentList
from vtg.utils import ConfigError, DataError

_FEATURE_FILES = ('.npz', '.npy', '.pt')
Video = str | Path | np.ndarray | Sequence[np.ndarray]


@dataclass(frozen=True)
class GroundingResult:
    """What a model says about one query.

    Attributes:
        query: The sentence.
        vid: Name of the video.
        duration: Seconds of the video.
        clip_length: Seconds per clip.
        moments: ``[start_s, end_s, score]``, best first.
        saliency: One score per clip, empty where the model gives none.
        alternatives: Further lists of moments of the same pass, by name.
    """

    query: str
    vid: str
    duration: float
    clip_length: float
    moments: list[list[float]]
    saliency: list[float] = field(default_factory=list)
    alternatives: dict[str, list[list[float]]] = field(default_factory=dict)

    def distinct(self, iou_threshold: float = 0.5) -> list[list[float]]:
        """The moments without those that overlap a better one by more than the threshold."""
        table = torch.tensor(self.moments, dtype=torch.float64).reshape(1, -1, 3)
        mask = torch.ones(table.shape[:2], dtype=torch.bool)
        kept = temporal_nms(MomentList(table[..., :2], table[..., 2], mask), iou_threshold)
        return moments_to_lists(kept, digits=None)[0]

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return asdict(self)


class Inferencer:
    """A model with its weights, ready for your own videos and sentences.

    Features are prepared as the dataset of the config does it: clip length, normalisation, order
    and positions are those of training.

    Args:
        config: A config or its file.
        checkpoint: Weights that fit it.
        device: Where to compute; the first GPU by default, or the CPU.
        encoders: One encoder (or its config) per video feature of the config, in its order; needed
            for video files.
        text_encoders: One per text feature; by default those of ``encoders`` that encode text.
        batch_size: Queries per forward pass.

    Raises:
        ConfigError, CheckpointError: Config and weights do not fit.
    """

    def __init__(
        self,
        config: str | Path | Config,
        checkpoint: str | Path,
        device: str | None = None,
        encoders: Sequence[dict | Encoder] = (),
        text_encoders: Sequence[dict | Encoder] | None = None,
        batch_size: int = 32,
    ) -> None:
        cfg = config if isinstance(config, Config) else load_config(config)
        init_default_scope('vtg')
        self.device = as_device(device)
        self.model = MODELS.build(cfg.model)
        load_weights(self.model, checkpoint)
        self.model = self.model.to(self.device).eval()
        self.batch_size = batch_size
        # Nothing is loaded: its way from arrays to samples is what is needed.
        dataset = (cfg.get('test_dataloader') or cfg.val_dataloader).dataset
        self.dataset: GroundingDataset = DATASETS.build(
            {**dataset, 'test_mode': True, 'lazy_init': True}
        )
        self.clip_length: float = self.dataset.clip_length
        self.num_video = len(self.dataset.reader.video)
        self.num_text = len(self.dataset.reader.text)
        self.encoders = [_built(encoder) for encoder in encoders]
        if text_encoders is None:
            text_encoders = [encoder for encoder in self.encoders if encoder.has_text]
        self.text_encoders = [_built(encoder) for encoder in text_encoders]

    def __call__(
        self,
        video: Video,
        queries: str | Sequence[str],
        text_features: Sequence[np.ndarray] | None = None,
        duration: float | None = None,
    ) -> list[GroundingResult]:
        """Ground sentences in one video.

        Args:
            video: A video file, a feature file (``.npz``, ``.npy``, ``.pt``), an array
                ``(L, D)``, or a list of these arrays in the order of the config.
            queries: One or several sentences.
            text_features: Token features ``(N, D)`` of every query, instead of a text encoder.
            duration: Seconds of the video, for features; by default what extraction stored in
                their file, else their number of clips counts.

        Returns:
            One result per query.

        Raises:
            DataError: The video or the features cannot be used.
            ConfigError: Encoders are missing.
        """
        queries = [queries] if isinstance(queries, str) else list(queries)
        vid = Path(video).stem if isinstance(video, str | Path) else 'video'
        clips, known = self._video_features(video)
        duration = duration or known or min(map(len, clips)) * self.clip_length
        texts = self._text_features(queries, text_features)
        records = [
            {'qid': number, 'query': query, 'vid': vid, 'duration': duration}
            for number, query in enumerate(queries)
        ]
        samples = self._samples(records, clips, texts)
        found: list[dict[str, Any]] = []
        for start in range(0, len(samples), self.batch_size):
            batch = collate(samples[start : start + self.batch_size])
            with torch.inference_mode():
                (prediction,) = self.model.test_step(batch)
            found += to_records(prediction)
        return [
            GroundingResult(
                query=record['query'],
                vid=vid,
                duration=float(duration),
                clip_length=self.clip_length,
                moments=record.get('pred_relevant_windows', []),
                saliency=record.get('pred_saliency_scores', []),
                alternatives=record.get('alternatives', {}),
            )
            for record in found
        ]

    def _samples(
        self,
        records: Sequence[dict[str, Any]],
        clips: Sequence[np.ndarray],
        texts: Sequence[Sequence[np.ndarray]],
    ) -> list[dict[str, Any]]:
        """Make the samples of queries about one video as the dataset of the config does."""
        reader, rng = self.dataset.reader, np.random.default_rng(0)
        video = _checked('video', clips, reader.video)
        return [
            self.dataset.pipeline(
                self.dataset.builder(record, video, _checked('text', text, reader.text), rng)
            )
            for record, text in zip(records, texts)
        ]

    def _video_features(self, video: Video) -> tuple[list[np.ndarray], float | None]:
        """Return one array per video feature of the config, and the seconds where known."""
        duration = None
        if isinstance(video, np.ndarray):
            arrays = [video]
        elif not isinstance(video, str | Path):
            arrays = list(video)
        elif Path(video).is_dir():
            raise DataError(
                f'{video} is a folder; expected a video or its features, give the path of a file.'
            )
        elif Path(video).suffix in _FEATURE_FILES:
            arrays = [read_feature_file(video)]
            duration = _stored_duration(Path(video))
        else:
            _check_count('video', self.num_video, len(self.encoders), 'encoders')
            arrays = []
            for encoder in self.encoders:
                pieces = decode_video(
                    video, self.clip_length, encoder.image_size, encoder.frames_per_clip
                )
                found = encode_video(encoder, pieces)
                arrays.append(found['features'])
                duration = float(found['duration'])
        _check_count('video', self.num_video, len(arrays), 'arrays')
        return arrays, duration

    def _text_features(
        self, queries: Sequence[str], given: Sequence[np.ndarray] | None
    ) -> list[list[np.ndarray]]:
        """Return for every query one array per text feature of the config."""
        if given is not None:
            _check_count('text', self.num_text, 1, 'arrays')
            if len(given) != len(queries):
                raise ConfigError(f'{len(queries)} queries but {len(given)} text features.')
            return [[np.asarray(array)] for array in given]
        _check_count('text', self.num_text, len(self.text_encoders), 'encoders')
        for query in queries:
            if not query.split():
                raise ConfigError('a query has no words; write what to look for.')
        return [
            [encoder.encode_text(query).tokens for encoder in self.text_encoders]
            for query in queries
        ]


def _stored_duration(path: Path) -> float | None:
    """The seconds that extraction wrote beside the features, where there are such."""
    stored = stored_number(path, 'duration')
    return stored if stored is not None and 0 < stored < math.inf else None


def _checked(
    kind: str, arrays: Sequence[np.ndarray], stores: Sequence[FeatureStore]
) -> list[np.ndarray]:
    """Check arrays like those that the stores of the config read."""
    return [
        check_features(array, f'{kind} features {number}', store.dim)
        for number, (array, store) in enumerate(zip(arrays, stores), start=1)
    ]


def _built(encoder: dict | Encoder) -> Encoder:
    return ENCODERS.build(dict(encoder)) if isinstance(encoder, dict) else encoder


def _check_count(kind: str, wanted: int, have: int, what: str) -> None:
    if wanted != have:
        raise ConfigError(
            f'the config reads {wanted} kind(s) of {kind} features, but {have} {kind} {what} are '
            f'given; give one for each, in the order of the config.'
        )


def ground(
    config: str | Path | Config,
    checkpoint: str | Path,
    video: Video,
    query: str | Sequence[str],
    **options: Any,
) -> list[GroundingResult]:
    """Ground sentences in one video; for several videos keep an :class:`Inferencer`.

    Args:
        config, checkpoint: See :class:`Inferencer`, as for ``options``.
        video, query: See :meth:`Inferencer.__call__`.
    """
    text_features = options.pop('text_features', None)
    return Inferencer(config, checkpoint, **options)(video, query, text_features)
