# SPDX-License-Identifier: Apache-2.0
"""Moments and highlights of your own videos, from files or from features."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from vtg.datasets import GroundingDataset, collate, collate_text
from vtg.engine import load_config
from vtg.engine.checkpoint import load_weights
from vtg.engine.components import check_registered
from vtg.engine.config import model_config
from vtg.engine.precision import amp_context
from vtg.engine.published import read_published
from vtg.evaluation.records import moments_to_lists, to_records
from vtg.extraction.encoders import Encoder
from vtg.extraction.encoders.base import as_device
from vtg.extraction.encoders.names import encoder_config
from vtg.models.sharing import EncodedVideos
from vtg.models.task_modules.nms import temporal_nms
from vtg.registry import DATASETS, MODELS
from vtg.structures import MomentList
from vtg.utils import CheckpointError, ConfigError
from vtg.utils.threads import settle_threads

from .encoding import Workshop, recipe_encoders, recipe_of
from .own_features import OwnFeatures, Video
from .publishing import find_model


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
        existence: Probability that the query has a moment, None where the model does not tell.
        answered: Whether it is above the threshold that the checkpoint carries; None without one.
    """

    query: str
    vid: str
    duration: float
    clip_length: float
    moments: list[list[float]]
    saliency: list[float] = field(default_factory=list)
    alternatives: dict[str, list[list[float]]] = field(default_factory=dict)
    existence: float | None = None
    answered: bool | None = None

    def distinct(self, iou_threshold: float = 0.5) -> list[list[float]]:
        """The moments without those that overlap a better one by more than the threshold."""
        table = torch.tensor(self.moments, dtype=torch.float64).reshape(1, -1, 3)
        mask = torch.ones(table.shape[:2], dtype=torch.bool)
        kept = temporal_nms(MomentList(table[..., :2], table[..., 2], mask), iou_threshold)
        return moments_to_lists(kept, digits=None)[0]

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class EncodedVideo:
    """A video as far as a model encodes it without a query; made by :meth:`Inferencer.encode`.

    Attributes:
        vid: Name of the video.
        duration: Seconds of the video.
        features: ``(L, Dv)`` as the dataset makes them, on the host.
        num_clips: How many rows of them count as clips.
        encoded: What the model made of it, on its device.
    """

    vid: str
    duration: float
    features: np.ndarray
    num_clips: int
    encoded: EncodedVideos


class Inferencer:
    """A model with its weights, ready for your own videos and sentences.

    Features are prepared as the dataset of the config does it: clip length, normalisation, order
    and positions are those of training.

    Args:
        config: A config or its file.
        checkpoint: Weights that fit it; None for a config whose model has nothing to learn.
        device: Where to compute; the first GPU by default, or the CPU.
        encoders: One encoder (or its config) per video feature of the config, in its order; needed
            for video files.
        text_encoders: One per text feature; by default those of ``encoders`` that encode text.
        audio_encoders: One per feature of the second stream, for a config that has one.
        batch_size: Queries whose texts are read together; how many of them run together is
            ``test_cfg.max_clips`` of the model.
        amp: ``'bf16'``, or ``'fp16'`` on a GPU: run the layers in half precision.

    Raises:
        ConfigError, CheckpointError: Config and weights do not fit.
    """

    def __init__(
        self,
        config: str | Path | Config,
        checkpoint: str | Path | None,
        device: str | None = None,
        encoders: Sequence[dict | Encoder] = (),
        text_encoders: Sequence[dict | Encoder] | None = None,
        batch_size: int = 32,
        amp: str | None = None,
        audio_encoders: Sequence[dict | Encoder] = (),
    ) -> None:
        cfg = config if isinstance(config, Config) else load_config(config)
        init_default_scope('vtg')
        self.device = as_device(device)
        self.model = MODELS.build(model_config(cfg))
        load_weights(self.model, checkpoint)
        self.model = self.model.to(self.device).eval()
        settle_threads(self.model)
        self.batch_size = batch_size
        self.precision = amp_context(amp, self.device)
        # Nothing is loaded: its way from arrays to samples is what is needed.
        loader = cfg.get('test_dataloader') or cfg.get('val_dataloader')
        if loader is None:
            raise ConfigError(
                f'{cfg.filename or "the config"} has neither test_dataloader nor val_dataloader, '
                'whose dataset says how features are prepared; set one of them.'
            )
        dataset = loader.dataset
        self.dataset: GroundingDataset = DATASETS.build(
            {**dataset, 'test_mode': True, 'lazy_init': True}
        )
        self.clip_length: float = self.dataset.clip_length
        build = Workshop()
        self.encoders = [build(encoder) for encoder in encoders]
        if text_encoders is None:
            text_encoders = [encoder for encoder in self.encoders if encoder.has_text]
        self.text_encoders = [build(encoder) for encoder in text_encoders]
        self.features = OwnFeatures(
            self.dataset.reader, self.clip_length, self.encoders, self.text_encoders,
            [build(encoder) for encoder in audio_encoders],
        )  # fmt: skip

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path,
        encoders: Sequence[dict | Encoder] = (),
        text_encoders: Sequence[dict | Encoder] | None = None,
        revision: str | None = None,
        weights: Sequence[str] | None = None,
        **options: Any,
    ) -> 'Inferencer':
        """Load a published model; nothing that comes with it is executed.

        Args:
            name: Its folder, or ``USER/MODEL`` on the Hugging Face hub.
            encoders: By default those that the model was published with.
            text_encoders: The same.
            revision: Branch, tag or commit on the hub.
            weights: Of the encoders of its recipe, ``NAME=PATH`` or a folder that holds them by
                these names; for a model that was published without encoders. None leaves them
                away, so that it takes features.
            options: ``device``, ``batch_size``, ``amp``.

        Raises:
            ConfigError: There is no such model, or it needs components that are not registered.
            CheckpointError: Its weights are damaged.
        """
        folder = find_model(name, revision)
        facts = read_published(folder)
        device = options.get('device')

        def known(texts: Sequence[str]) -> list[dict]:
            configs = [encoder_config(text, device=device) for text in texts]
            check_registered({'encoders': configs}, folder)
            return configs

        cfg = load_config(folder)
        if not encoders and not facts.get('encoders'):
            found = recipe_encoders(recipe_of(cfg, facts), weights, device)
            if found:
                return cls(cfg, folder, **found, **options)
        elif weights:
            raise ConfigError('weights are of the encoders of a recipe; leave other encoders away.')
        if text_encoders is None and facts.get('text_encoders') is not None:
            text_encoders = known(facts['text_encoders'])
        return cls(
            cfg, folder, encoders=encoders or known(facts.get('encoders', [])),
            text_encoders=text_encoders, **options,
        )  # fmt: skip

    def __call__(
        self,
        video: Video,
        queries: str | Sequence[str],
        text_features: Sequence[np.ndarray] | None = None,
        duration: float | None = None,
        audio_features: Sequence[np.ndarray] = (),
    ) -> list[GroundingResult]:
        """Ground sentences in one video.

        Args:
            video: A video file, a feature file (``.npz``, ``.npy``, ``.pt``), an array
                ``(L, D)``, or a list of these arrays in the order of the config.
            queries: One or several sentences.
            text_features: Token features ``(N, D)`` of every query, instead of a text encoder.
            duration: Seconds of the video, for features; by default what extraction stored in
                their file, else their number of clips counts.
            audio_features: Arrays ``(L, D)`` of the second stream, for a config that has one.

        Returns:
            One result per query.

        Raises:
            DataError: The video or the features cannot be used.
            ConfigError: Encoders are missing.
        """
        queries = self.features.check_queries(queries, text_features)
        encoded = self.encode(video, duration, audio_features)
        return self.ground(encoded, queries, text_features)

    def encode(
        self,
        video: Video,
        duration: float | None = None,
        audio_features: Sequence[np.ndarray] = (),
    ) -> EncodedVideo:
        """Read a video and encode it as far as the model can without a query.

        Args:
            video, duration, audio_features: See :meth:`__call__`.

        Returns:
            What :meth:`ground` takes, for any number of queries and calls; it holds the features
            and the tokens of one video, and fits this model with these weights.

        Raises:
            DataError, ConfigError: See :meth:`__call__`.
        """
        vid = Path(video).stem if isinstance(video, str | Path) else 'video'
        arrays, known = self.features.of_video(video)
        sounds = self.features.of_sound(video, audio_features)
        seconds = float(duration or known or min(map(len, arrays)) * self.clip_length)
        record = {'qid': 0, 'query': '', 'vid': vid, 'duration': seconds}
        features, num_clips, audio = self.dataset.assembly.streams(arrays, sounds, record)
        word = [np.zeros((1, store.dim or 1), np.float32) for store in self.dataset.reader.text]
        sample = self._sample(record, features, num_clips, word, audio)
        batch = self.model.data_preprocessor(collate([sample]))
        with torch.inference_mode(), self.precision():
            inputs = (batch[name] for name in ('video', 'video_mask', 'duration'))
            encoded = self.model.encode(*inputs, batch.get('audio'))
        return EncodedVideo(vid, seconds, features, num_clips, encoded)

    def ground(
        self,
        video: EncodedVideo,
        queries: str | Sequence[str],
        text_features: Sequence[np.ndarray] | None = None,
    ) -> list[GroundingResult]:
        """Ground sentences in an encoded video; the results are those of :meth:`__call__`.

        Args:
            video: Made by :meth:`encode` of this object.
            queries, text_features: See :meth:`__call__`.

        Raises:
            CheckpointError: The answers are no finite numbers.
        """
        queries = self.features.check_queries(queries, text_features)
        texts = self.features.of_queries(queries, text_features)
        found: list[dict[str, Any]] = []
        for start in range(0, len(queries), self.batch_size):
            part = range(start, min(start + self.batch_size, len(queries)))
            samples = [self._query_sample(video, number, queries, texts) for number in part]
            batch = self.model.data_preprocessor(collate_text(samples))
            meta = [sample['meta'] for sample in samples]
            with torch.inference_mode(), self.precision():
                prediction = self.model.ground(
                    video.encoded, batch['text'], batch['text_mask'], meta=meta
                )
            found += to_records(prediction)
        if not all(map(_is_finite, found)):
            raise CheckpointError(
                'the model gives NaN or infinite moments or saliency; its weights are damaged, or '
                'too large for --amp.'
            )
        return [
            GroundingResult(
                query=record['query'],
                vid=video.vid,
                duration=video.duration,
                clip_length=self.clip_length,
                moments=record.get('pred_relevant_windows', []),
                saliency=record.get('pred_saliency_scores', []),
                alternatives=record.get('alternatives', {}),
                existence=record.get('pred_exist_score'),
                answered=record.get('pred_answered'),
            )
            for record in found
        ]

    def _query_sample(
        self,
        video: EncodedVideo,
        number: int,
        queries: Sequence[str],
        texts: Sequence[Sequence[np.ndarray]],
    ) -> dict[str, Any]:
        """Make the sample of a query as the dataset of the config does."""
        record = {
            'qid': number,
            'query': queries[number],
            'vid': video.vid,
            'duration': video.duration,
        }
        return self._sample(record, video.features, video.num_clips, texts[number])

    def _sample(
        self,
        record: dict[str, Any],
        features: np.ndarray,
        num_clips: int,
        text: Sequence[np.ndarray],
        audio: np.ndarray | None = None,
    ) -> dict[str, Any]:
        rng = np.random.default_rng(0)
        sample = self.dataset.builder.with_features(record, features, num_clips, text, rng, audio)
        return self.dataset.pipeline(sample)


def _is_finite(record: dict[str, Any]) -> bool:
    """Whether all numbers of a prediction are some."""
    windows = record.get('pred_relevant_windows', [])
    scores = record.get('pred_saliency_scores', [])
    return bool(np.isfinite([*scores, *(value for row in windows for value in row)]).all())


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
