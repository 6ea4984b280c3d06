# SPDX-License-Identifier: Apache-2.0
"""The one object that components read from and write to.

B is the batch size, L the padded number of clips, N the padded number of text tokens, M the
number of dummy tokens, D the model width, Q the number of predicted moments. Masks are boolean
and True where an entry is real.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from .targets import GroundingTargets


@dataclass(frozen=True)
class Progress:
    """Where training stands: the zero-based ``epoch`` of ``max_epochs``."""

    epoch: int = 0
    max_epochs: int = 1


@dataclass(frozen=True)
class FeaturePyramid:
    """Features at several temporal scales, finest first.

    Attributes:
        features: One ``(B, L_k, D)`` per level, zero where the mask is False.
        masks: One ``(B, L_k)`` per level; a cell is real if any of its clips is
            (all of them with ``whole_cells``).
        strides: The width of a cell in clips, per level.
        whole_cells: A cell is real only if all of its clips are.
    """

    features: tuple[Tensor, ...]
    masks: tuple[Tensor, ...]
    strides: tuple[float, ...]
    whole_cells: bool = False

    def num_cells(self, num_clips: Tensor) -> list[Tensor]:
        """Return the real cells ``(B,)`` of every level in videos of ``num_clips (B,)``."""
        cells = [num_clips / stride for stride in self.strides]
        return [count.floor() if self.whole_cells else count.ceil() for count in cells]


@dataclass(frozen=True)
class MomentList:
    """A ranked, padded list of predicted moments.

    Attributes:
        spans: ``(B, K, 2)`` start and end in seconds.
        scores: ``(B, K)`` confidence, best first within the valid entries.
        mask: ``(B, K)`` True where an entry is a prediction.
    """

    spans: Tensor
    scores: Tensor
    mask: Tensor


def _text(**kwargs: Any) -> Any:
    """A field made from the text alone: it is rolled with the text in the negative pass."""
    return field(metadata={'text': True}, **kwargs)


@dataclass(frozen=True)
class GroundingState:
    """Everything known about a batch at one point of the pipeline.

    Components never change a state; they return new values, and the model makes a new state.

    Inputs
        video_features ``(B, L, Dv)``, video_mask ``(B, L)``: what the loader delivers.
        text_features ``(B, N, Dt)``, text_mask ``(B, N)``.
        duration ``(B,)``: the seconds that normalised spans are a fraction of.
        targets: only in training. progress: epoch counters. runner: runs stages of the model.
    Projection and embedding
        projected_video, projected_text: tokens right after the projectors, ``(B, ·, D)``.
        video, text: current tokens; refinement and embeddings change them.
        video_pos ``(B, L, D)``, text_pos ``(B, N, D)``: position encodings, added by attention.
    Before fusion
        sentence ``(B, D)``: pooled text. local_saliency ``(B, L)``: logits before fusion.
        dummies ``(B, M, D)``, dummy_pos ``(M, D)``: extra keys that absorb irrelevant clips.
    Fusion and encoder
        fused ``(B, L, D)``: video tokens that know the text. fused_text ``(B, N, D)``: text tokens
        for the encoder, only where it should see them.
        attention ``(B, L, M + N)``: cross-attention weights, dummies first, mean over heads and
        layers.
        context ``(B, D)``: a global token of the video.
        memory ``(B, L, D)``: encoded video. memory_text ``(B, N, D)``: encoded text, if it went in.
    Neck and heads
        moment_memory, saliency_memory ``(B, L, D)``: per-task streams; unset means ``memory``.
        pyramid: multi-scale features.
        saliency ``(B, L)``: final highlight logits.
        spans ``(B, Q, 2)`` centre, width normalised; span_scores ``(B, Q)`` in [0, 1].
        moment_outputs: whatever the moment head needs for its losses and its decoding.
        foreground ``(B, L)``: probability of every clip to lie in a moment, 0 on padding.
        clip_gain ``(B, L)``: a gain per clip that feedback hands to the saliency head.
    Negative pass
        is_negative: this state holds every video with the text of the next sample.
        negative: that state. negative_valid ``(B,)``: the pair really is of different videos.
    """

    INPUTS: ClassVar[tuple[str, ...]] = (
        'video_features',
        'video_mask',
        'text_features',
        'text_mask',
        'duration',
    )
    # Fields without any effect unless a later component reads them.
    HINTS: ClassVar[tuple[str, ...]] = (
        'clip_gain', 'moment_memory', 'saliency_memory', 'pyramid', 'dummies',
    )  # fmt: skip
    # What is reported, whoever else reads it.
    OUTPUTS: ClassVar[tuple[str, ...]] = ('saliency', 'spans', 'span_scores', 'moment_outputs')
    # What feedback made of the matching text; the negative pass starts without.
    STREAMS: ClassVar[tuple[str, ...]] = ('moment_memory', 'saliency_memory', 'clip_gain')

    video_features: Tensor
    video_mask: Tensor
    text_features: Tensor = _text()
    text_mask: Tensor = _text()
    duration: Tensor = field()
    targets: GroundingTargets | None = None
    progress: Progress = field(default_factory=Progress)
    runner: 'RunStages | None' = field(default=None, repr=False, compare=False)

    projected_video: Tensor | None = None
    projected_text: Tensor | None = _text(default=None)
    video: Tensor | None = None
    text: Tensor | None = _text(default=None)
    video_pos: Tensor | None = None
    text_pos: Tensor | None = _text(default=None)

    sentence: Tensor | None = _text(default=None)
    local_saliency: Tensor | None = None
    dummies: Tensor | None = _text(default=None)
    dummy_pos: Tensor | None = None

    fused: Tensor | None = None
    fused_text: Tensor | None = None
    attention: Tensor | None = None
    context: Tensor | None = None
    memory: Tensor | None = None
    memory_text: Tensor | None = None

    moment_memory: Tensor | None = None
    saliency_memory: Tensor | None = None
    pyramid: FeaturePyramid | None = None
    saliency: Tensor | None = None
    spans: Tensor | None = None
    span_scores: Tensor | None = None
    moment_outputs: dict[str, Any] | None = None
    foreground: Tensor | None = None
    clip_gain: Tensor | None = None

    is_negative: bool = False
    negative: 'GroundingState | None' = None
    negative_valid: Tensor | None = None

    def update(self, **values: Any) -> 'GroundingState':
        """Return a copy with new values."""
        return replace(self, **values)

    def run(self, stages: Sequence[str]) -> 'GroundingState':
        """Run stages of the model on this state, for feedback that repeats some of them."""
        if self.runner is None:
            raise RuntimeError('only a state inside of a model can run stages; call model.run.')
        return self.runner(self, stages)

    def roll_text(self) -> 'GroundingState':
        """Return the negative of this state: sample b gets the text of sample b + 1, the last of
        the first (Moon et al., "Query-Dependent Video Representation", 2023, section 3.2)."""
        rolled = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.metadata.get('text') and value is not None:
                rolled[item.name] = torch.roll(value, -1, dims=0)
        return self.update(**rolled, **dict.fromkeys(self.STREAMS), is_negative=True)

    @classmethod
    def field_names(cls) -> list[str]:
        """Return the names of all fields."""
        return [item.name for item in fields(cls)]

    @classmethod
    def text_fields(cls) -> set[str]:
        """Return the fields that are made from the text alone."""
        return {item.name for item in fields(cls) if item.metadata.get('text')}

    @property
    def for_moments(self) -> Tensor:
        """``(B, L, D)``: the stream that moment heads read."""
        return self.memory if self.moment_memory is None else self.moment_memory

    @property
    def for_saliency(self) -> Tensor:
        """``(B, L, D)``: the stream that saliency heads read."""
        return self.memory if self.saliency_memory is None else self.saliency_memory


RunStages = Callable[[GroundingState, Sequence[str]], GroundingState]
