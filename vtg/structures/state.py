# SPDX-License-Identifier: Apache-2.0
"""The one object that components read from and write to.

B is the batch size, L the padded number of clips, N the padded number of text tokens, D the model
width, Q the number of predicted moments. Masks are boolean and True where an entry is real.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar

from torch import Tensor

from .batches import chosen, joined
from .extras import EXTRAS, FROM_TEXT, RESERVED, Extras, text_of
from .targets import GroundingTargets


@dataclass(frozen=True)
class Progress:
    """Where training stands: the zero-based ``epoch`` of ``max_epochs``."""

    epoch: int = 0
    max_epochs: int = 1


# Where a state dict of a model holds both numbers; those of old checkpoints do not.
PROGRESS_KEY = 'training_progress.position'


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


def _made(**marks: bool) -> Any:
    """Declare a field that a stage makes. It is typed as what it is then: the check of the pipeline
    makes sure that it is set before a component reads it; until then it is None.

    Args:
        marks: ``text``: made from the text alone. ``hint``: without any effect unless a later
            component reads it. ``stream``: made by feedback from the matching text.
    """
    return field(default=None, metadata=marks)


@dataclass(frozen=True)
class GroundingState:
    """Everything known about a batch at one point of the pipeline.

    Components never change a state; they return new values, and the model makes a new state.

    Inputs
        video_features ``(B, L, Dv)``, video_mask ``(B, L)``: what the loader delivers.
        text_features ``(B, N, Dt)``, text_mask ``(B, N)``.
        audio_features ``(B, L, Da)``: a second stream on the clips of the video, if there is one.
        duration ``(B,)``: the seconds that normalised spans are a fraction of.
        targets: only in training. progress: epoch counters. runner: runs stages of the model.
    Projection and embedding
        projected_video, projected_text, projected_audio: tokens right after the projectors,
        ``(B, ·, D)``.
        video, text, audio: current tokens; refinement and embeddings change them.
        video_pos ``(B, L, D)``, text_pos ``(B, N, D)``: position encodings, added by attention.
    Before fusion
        sentence ``(B, D)``: pooled text. local_saliency ``(B, L)``: logits before fusion.
    Fusion and encoder
        fused ``(B, L, D)``: video tokens that know the text. fused_text ``(B, N, D)``: text tokens
        for the encoder, only where it should see them.
        memory ``(B, L, D)``: encoded video. memory_text ``(B, N, D)``: encoded text, if it went in.
    Neck and heads
        moment_memory, saliency_memory ``(B, L, D)``: per-task streams; unset means ``memory``.
        pyramid: multi-scale features.
        saliency ``(B, L)``: final highlight logits.
        spans ``(B, Q, 2)`` centre, width normalised; span_scores ``(B, Q)`` in [0, 1].
        moment_outputs: whatever the moment head needs for its losses and its decoding.
    Of some papers
        extras: found by their class, e.g. ``state.extras[Dummies]``.
    Negative pass
        is_negative: this state holds every video with the text of another sample.
        negative: that state. negative_valid ``(B,)``: the pair really is of different videos.
    """

    INPUTS: ClassVar[tuple[str, ...]] = (
        'video_features',
        'video_mask',
        'text_features',
        'text_mask',
        'duration',
        'audio_features',
    )
    # What is reported, whoever else reads it.
    OUTPUTS: ClassVar[tuple[str, ...]] = ('saliency', 'spans', 'span_scores', 'moment_outputs')

    video_features: Tensor
    video_mask: Tensor
    text_features: Tensor = field(metadata=FROM_TEXT)
    text_mask: Tensor = field(metadata=FROM_TEXT)
    duration: Tensor = field()
    audio_features: Tensor | None = None
    targets: GroundingTargets = _made()
    progress: Progress = field(default_factory=Progress)
    extras: Extras = field(default_factory=Extras)
    runner: 'RunStages | None' = field(default=None, repr=False, compare=False)

    projected_video: Tensor = _made()
    projected_text: Tensor = _made(text=True)
    projected_audio: Tensor = _made()
    video: Tensor = _made()
    audio: Tensor = _made()
    text: Tensor = _made(text=True)
    video_pos: Tensor = _made()
    text_pos: Tensor = _made(text=True)

    sentence: Tensor = _made(text=True)
    local_saliency: Tensor = _made()

    fused: Tensor = _made()
    fused_text: Tensor | None = None
    memory: Tensor = _made()
    memory_text: Tensor | None = None

    moment_memory: Tensor | None = _made(hint=True, stream=True)
    saliency_memory: Tensor | None = _made(hint=True, stream=True)
    pyramid: FeaturePyramid = _made(hint=True)
    saliency: Tensor = _made()
    spans: Tensor = _made()
    span_scores: Tensor = _made()
    moment_outputs: dict[str, Any] = _made()

    is_negative: bool = False
    negative: 'GroundingState | None' = None
    negative_valid: Tensor | None = None

    def update(self, **values: Any) -> 'GroundingState':
        """Return a copy with new values, those of extras included."""
        extras = {name: values.pop(name) for name in EXTRAS.keys() & values.keys()}
        if extras:
            values['extras'] = self.extras.update(extras)
        return replace(self, **values)

    def run(self, stages: Sequence[str]) -> 'GroundingState':
        """Run stages of the model on this state, for feedback that repeats some of them."""
        if self.runner is None:
            raise RuntimeError('only a state inside of a model can run stages; call model.run.')
        return self.runner(self, stages)

    def roll_text(self, partner: Tensor | None = None) -> 'GroundingState':
        """Return the negative of this state: sample b gets the text of sample b + 1, the last of
        the first (Moon et al., "Query-Dependent Video Representation", 2023, section 3.2), or that
        of sample ``partner (B,)``."""
        rolled: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.metadata.get('text') and value is not None:
                rolled[item.name] = text_of(value, partner)
        fresh: dict[str, Any] = {
            item.name: None for item in fields(self) if item.metadata.get('stream')
        }  # fmt: skip
        extras = self.extras.of_next_text(partner)
        return replace(self, **rolled, **fresh, extras=extras, is_negative=True)

    def paired(self, videos: Tensor, texts: Tensor) -> 'GroundingState':
        """Return a negative of this state with any pairs: those of the videos of the samples
        ``videos (P,)`` and the texts of the samples ``texts (P,)``. It has no targets."""
        # Targets lie on the host as well, outputs have layers as first axis.
        aside = self.update(targets=None, moment_outputs=None)
        shown, said = chosen(aside, videos), chosen(aside, texts)
        # Fields of an object, and not of its class: torch.compile sees through these alone.
        marks = {item.name: item.metadata for item in fields(self)}
        values: dict[str, Any] = {n: getattr(said, n) for n in marks if marks[n].get('text')}
        values |= {name: None for name in marks if marks[name].get('stream')}
        extras = shown.extras.with_text_of(said.extras)
        return replace(shown, **values, extras=extras, is_negative=True)

    def joined(self, other: 'GroundingState', names: Collection[str]) -> 'GroundingState':
        """Return one batch of this state and another, with no fields but masks, durations and
        ``names``; what is not set in this state is not set."""
        mine, theirs = self.values(), other.values()
        names = {'video_mask', 'text_mask', 'duration', *names}
        values = {
            name: joined(value, theirs[name]) if name in names else None
            for name, value in mine.items() if value is not None
        }  # fmt: skip
        return self.update(**values)

    def changes(self, before: 'GroundingState') -> dict[str, Any]:
        """Return the fields and extras that are others than in the state before, by name."""
        old, new = before.values(), self.values()
        return {n: new.get(n) for n in {**old, **new} if new.get(n) is not old.get(n)}

    def values(self) -> dict[str, Any]:
        """Return what is known of the samples: tensors, what holds tensors, and extras, by name."""
        apart = ('progress', 'extras', 'runner', 'is_negative', 'negative', 'negative_valid')
        names = [item.name for item in fields(self) if item.name not in apart]
        return {name: getattr(self, name) for name in names} | self.extras.values

    @classmethod
    def field_names(cls) -> list[str]:
        """Return the names of all fields and extras."""
        return [*(item.name for item in fields(cls)), *EXTRAS]

    @classmethod
    def text_fields(cls) -> set[str]:
        """Return the fields and extras that are made from the text alone."""
        return cls._marked('text') | {name for name, extra in EXTRAS.items() if extra.of_text()}

    @classmethod
    def hints(cls) -> set[str]:
        """Return the fields and extras without any effect unless a later component reads them."""
        return cls._marked('hint') | {name for name, extra in EXTRAS.items() if extra.hint}

    @classmethod
    def streams(cls) -> set[str]:
        """Return what feedback makes of the matching text; the negative pass starts without."""
        return cls._marked('stream') | {name for name, extra in EXTRAS.items() if extra.stream}

    @classmethod
    def _marked(cls, mark: str) -> set[str]:
        return {item.name for item in fields(cls) if item.metadata.get(mark)}

    @property
    def for_moments(self) -> Tensor:
        """``(B, L, D)``: the stream that moment heads read."""
        return self.memory if self.moment_memory is None else self.moment_memory

    @property
    def for_saliency(self) -> Tensor:
        """``(B, L, D)``: the stream that saliency heads read."""
        return self.memory if self.saliency_memory is None else self.saliency_memory


RESERVED.update(item.name for item in fields(GroundingState))
RunStages = Callable[[GroundingState, Sequence[str]], GroundingState]
"""Runs named stages of the model on a state."""
