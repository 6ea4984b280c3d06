# SPDX-License-Identifier: Apache-2.0
"""How a model encodes a video once and answers any number of queries about it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from vtg.structures import (
    Extras,
    GroundingState,
    Prediction,
    Progress,
    full_precision,
    join_predictions,
)

from .base import Component, Projector
from .sharing import EncodedVideos, pair, unread_features
from .slots import expand


class SharedVideos:
    """The part of a model that shares videos between queries, see :mod:`vtg.models.sharing`.

    Attributes:
        slots, test_cfg, progress: See :class:`vtg.models.Grounder`.
        separate_stages, joint_stages: The stages that run on videos and texts apart, and the rest.
    """

    slots: dict[str, Component]
    test_cfg: dict[str, Any]
    separate_stages: tuple[str, ...]
    joint_stages: tuple[str, ...]

    @property
    def progress(self) -> Progress:
        """Where training stands."""
        raise NotImplementedError

    def run(self, state: GroundingState, stages: Sequence[str]) -> GroundingState:
        """Run stages of the model."""
        raise NotImplementedError

    def predict(
        self, state: GroundingState, meta: Sequence[dict[str, Any]] | None = None
    ) -> Prediction:
        """Decode a state behind all stages."""
        raise NotImplementedError

    def input_width(self, modality: str) -> int:
        """Width of the features that the first projector of a modality reads; 1 without any."""
        first = self.slots.get(expand(self.slots, [f'{modality}_projector'])[0])
        return first.in_dim if isinstance(first, Projector) else 1

    def row_shape(self, modality: str) -> tuple[int, ...]:
        """Axes of a clip or word in front of the width, see :class:`Projector`."""
        first = self.slots.get(expand(self.slots, [f'{modality}_projector'])[0])
        return first.row_shape if isinstance(first, Projector) else ()

    def _inputs(
        self,
        video: Tensor,
        video_mask: Tensor,
        text: Tensor,
        text_mask: Tensor,
        duration: Tensor,
        audio: Tensor | None = None,
    ) -> GroundingState:
        return GroundingState(
            video_features=video,
            video_mask=video_mask,
            text_features=text,
            text_mask=text_mask,
            duration=duration,
            audio_features=audio,
            progress=self.progress,
            extras=Extras(),  # torch.compile does not see through a default
        )

    @torch.no_grad()
    def encode(
        self,
        video: Tensor,
        video_mask: Tensor,
        duration: Tensor,
        audio: Tensor | None = None,
    ) -> EncodedVideos:
        """Run what depends on the video alone, for all queries that :meth:`ground` will get.

        Args:
            video, video_mask, duration, audio: V videos, see :meth:`vtg.models.Grounder.forward`.

        Returns:
            The videos on the device of the model; valid as long as its weights stay.
        """
        state = self._encoded(video, video_mask, duration, audio)
        return EncodedVideos(state, torch.ones_like(video_mask[:, 0], dtype=torch.long))

    def _encoded(
        self,
        video: Tensor,
        video_mask: Tensor,
        duration: Tensor,
        audio: Tensor | None = None,
    ) -> GroundingState:
        """The state of videos behind the separate stages, with one word without meaning each."""
        word = video.new_zeros(len(video), 1, self.input_width('text'))
        mask = torch.ones_like(video_mask[:, :1])
        state = self._inputs(video, video_mask, word, mask, duration, audio)
        state = self.run(state, self.separate_stages)
        if unread_features(self.slots, self.joint_stages):
            state = state.update(video_features=state.video_features[..., :0])
        return state

    def _read(self, videos: EncodedVideos, text: Tensor, text_mask: Tensor) -> GroundingState:
        """The state of texts behind the separate stages, with one clip without meaning each."""
        clip = text.new_zeros(len(text), 1, self.input_width('video'))
        sound = text.new_zeros(len(text), 1, self.input_width('audio'))
        duration = videos.state.duration.new_ones(len(text))
        mask = torch.ones_like(text_mask[:, :1])
        state = self._inputs(clip, mask, text, text_mask, duration, sound)
        return self.run(state, self.separate_stages)

    @torch.no_grad()
    def ground(
        self,
        videos: EncodedVideos,
        text: Tensor,
        text_mask: Tensor,
        video_index: Tensor | None = None,
        meta: Sequence[dict[str, Any]] | None = None,
    ) -> Prediction:
        """Predict for Q queries about encoded videos; the numbers are those of its ``forward``.

        The queries are taken in parts of ``test_cfg.max_clips``, so that the memory grows with the
        videos, and not with the queries.

        Args:
            videos: V videos.
            text: ``(Q, N, Dt)`` token features.
            text_mask: ``(Q, N)`` True = real.
            video_index: ``(Q,)`` the video of every query; the first by default.
            meta: Facts of every query.
        """
        query = torch.arange(len(text), device=text.device)
        row = torch.zeros_like(query) if video_index is None else video_index
        count = max(1, self.test_cfg['max_clips'] // videos.state.video_mask.shape[1])
        found = self._answer(videos, self._read(videos, text, text_mask), row, query, count)
        return replace(found, meta=meta) if meta else found

    def _answer(
        self,
        videos: EncodedVideos,
        texts: GroundingState,
        video_rows: Tensor,
        text_rows: Tensor,
        count: int,
    ) -> Prediction:
        """Predict for pairs of rows of videos and texts, ``count`` at a time."""
        alone = len(videos.state.video_mask) == 1
        found = []
        for video_row, text_row in zip(video_rows.split(count), text_rows.split(count)):
            state = pair(videos.state, texts, None if alone else video_row, text_row)
            state = self.run(state, self.joint_stages)
            found.append(full_precision(self.predict, state, state.video_mask.device))
        return join_predictions(found)
