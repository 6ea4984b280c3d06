# SPDX-License-Identifier: Apache-2.0
"""The contract between :class:`vtg.models.Grounder` and its components.

A component fills one *slot* of the model. It is told apart by its slot class below, declares the
state fields it ``requires`` and ``provides``, and turns a state into new values. The model checks
the declarations when it is built, so a config whose parts do not fit fails before training.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from mmengine.model import BaseModule
from torch import Tensor

from vtg.structures import GroundingState, MomentList

RunStages = Callable[[GroundingState, Sequence[str]], GroundingState]


class Component(BaseModule):
    """Base class of everything that fills a slot.

    Attributes:
        slot: The kind of slot it fits, e.g. ``'fusion'``.
        requires: State fields that must be set before it runs.
        reads: State fields it takes into account where they are set.
        loss_requires: State fields its losses read; any stage may set them. Parts of a component
            have the attribute too.
        provides: State fields it sets.
        text_free: Those of them that take nothing from the text, though it reads the text.
        negative_reads: State fields whose values in the negative pass its losses get.
        can_provide: Further fields that it sets if it is configured to, and the argument that does.
        can_do_without: Required fields that it does without if it is configured to, and how.
        suggests: Who sets a required field best, where several components set it.
        parts: Configs of the parts that it is built of where its own config names none.
        dim: Width of the tokens it works on, compared between slots when the model is built;
            None where it does not matter.
        task: The group its losses belong to: ``'moment'``, ``'saliency'`` or ``'auxiliary'``.
    """

    slot: ClassVar[str] = ''
    task: ClassVar[str] = 'auxiliary'
    requires: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    loss_requires: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    text_free: tuple[str, ...] = ()
    negative_reads: tuple[str, ...] = ()
    can_provide: ClassVar[dict[str, str]] = {}
    can_do_without: ClassVar[dict[str, str]] = {}
    suggests: ClassVar[dict[str, str]] = {}
    parts: ClassVar[dict[str, Any]] = {}
    dim: int | None = None

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Return the new values of the fields in ``provides``."""
        raise NotImplementedError

    def check_pyramid(self, strides: tuple[float, ...]) -> None:
        """Check that the component is set up for the pyramid that it will get.

        Args:
            strides: Clips per cell of every level.

        Raises:
            ConfigError: It is not; says what to set.
        """

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """Return weighted scalar losses by name; names start with ``loss_``.

        ``state.targets`` is set and every stage has run, the negative pass included.
        """
        return {}


class Projector(Component):
    """Maps features ``(B, ·, D_in)`` and their mask to tokens ``(B, ·, D)``."""

    slot = 'projector'

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:  # type: ignore[override]
        raise NotImplementedError


class LocalSaliencyHead(Component):
    """Scores clips before fusion and pools the text into a sentence."""

    slot = 'local_saliency_head'
    task = 'saliency'
    requires = ('projected_video', 'projected_text')
    provides = ('local_saliency', 'sentence')
    negative_reads = ('local_saliency',)


class Embedding(Component):
    """Adds token embeddings and computes the position encodings."""

    slot = 'embedding'
    requires = ('video', 'text')
    provides = ('video', 'text', 'video_pos', 'text_pos')
    text_free = ('video', 'video_pos')


class Refiner(Component):
    """Changes video or text tokens before fusion."""

    slot = 'refiner'
    requires = ('video', 'text')
    provides = ('video',)


class Fusion(Component):
    """Brings the text into the video tokens."""

    slot = 'fusion'
    requires = ('video', 'text', 'video_pos', 'text_pos')
    provides = ('fused',)


class Encoder(Component):
    """Encodes the fused sequence."""

    slot = 'encoder'
    requires = ('fused', 'video_pos')
    provides = ('memory',)


class Neck(Component):
    """Makes features per scale or per task from the memory.

    Attributes:
        strides: Clips per cell of every level of the pyramid, where it makes one.
    """

    slot = 'neck'
    reads = ('moment_memory',)
    strides: tuple[float, ...] = ()
    requires = ('memory',)


class SaliencyHead(Component):
    """Scores every clip after fusion."""

    slot = 'saliency_head'
    task = 'saliency'
    requires = ('memory',)
    reads = ('saliency_memory',)
    provides = ('saliency',)
    negative_reads = ('saliency',)


class MomentHead(Component):
    """Predicts moments.

    Attributes:
        lists: Names of the result lists; the first is reported unless ``test_cfg.output`` says
            otherwise.
    """

    slot = 'moment_head'
    lists: tuple[str, ...] = ()
    task = 'moment'
    requires = ('memory', 'video_pos')
    reads = ('moment_memory',)
    provides = ('spans', 'span_scores', 'moment_outputs')

    def predict(self, state: GroundingState) -> dict[str, MomentList]:
        """Decode the outputs into ranked lists in seconds, by the names in ``lists``."""
        raise NotImplementedError


class Feedback(Component):
    """Lets the result of one task change the input of the other.

    ``run(state, stages)`` runs named stages again on a changed state.

    Attributes:
        runs: The stages that it runs again.
        changes: State fields that it changes for them.
        takes: State fields of their result that it uses.
        passes_on: State fields of their result that it sets as they are, where they are made.
        needs_slots: Those of ``runs`` that must not be empty.
    """

    slot = 'feedback'
    runs: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    passes_on: tuple[str, ...] = ()
    needs_slots: tuple[str, ...] = ()

    def forward(self, state: GroundingState, run: RunStages) -> dict[str, Any]:  # type: ignore[override]
        raise NotImplementedError


class Auxiliary(Component):
    """A training-only branch: it has parameters and losses and changes nothing."""

    slot = 'auxiliary'

    def forward(self, state: GroundingState) -> dict[str, Any]:
        return {}


class LossBalancer(Component):
    """Combines the losses of the tasks."""

    slot = 'loss_balancer'

    def forward(self, losses: dict[str, dict[str, Tensor]]) -> dict[str, Tensor]:  # type: ignore[override]
        """Turn ``{task: {name: loss}}`` into ``{name: loss}``; the sum is minimised."""
        raise NotImplementedError


SLOT_TYPES: dict[str, type[Component]] = {
    'video_projector': Projector,
    'text_projector': Projector,
    'local_saliency_head': LocalSaliencyHead,
    'embedding': Embedding,
    'refiner': Refiner,
    'fusion': Fusion,
    'encoder': Encoder,
    'neck': Neck,
    'saliency_head': SaliencyHead,
    'moment_head': MomentHead,
    'feedback': Feedback,
    'auxiliary': Auxiliary,
    'loss_balancer': LossBalancer,
}
