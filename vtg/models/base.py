# SPDX-License-Identifier: Apache-2.0
"""The contract between :class:`vtg.models.Grounder` and its components.

A component fills a *slot* of the model, alone or as a member of a chain. It is told apart by its
slot class below, declares the state fields it ``requires`` and ``provides``, and turns a state into
new values. The model checks the declarations when it is built, so a config whose parts do not fit
fails before training.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from mmengine.model import BaseModule
from torch import Tensor

from vtg.structures import GroundingState, MomentList, Progress
from vtg.utils import ConfigError


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
        follows: Slots whose components it gets once when the model is built, see :meth:`follow`.
        dim: Width of the tokens it works on, compared between slots when the model is built;
            None where it does not matter.
        task: The group its losses belong to: ``'moment'``, ``'saliency'`` or ``'auxiliary'``.
        chooses_partners: It can choose the texts of the negative pass, see :meth:`partners`.
        free_pairs: Its pairs may be any number, of any videos, see :meth:`pairs`.
        joint: A training step may run it once on main and negative pass as one batch, on a state of
            the fields that it declares and the masks. False where the result of a sample depends on
            the others, on targets or on ``state.is_negative``.
        is_stage: It runs as a stage of the model, not in its losses alone.
        takes_chain: Its slot may hold a dict of named components that run in order.
        chained: Where the later members of a chain find the result of the one before: by the name
            of the field they read, the field that is its result, if these have different names.
        passes: What an empty slot sets, and from which field.
        aside: What a config may hold beside the arguments: where the component runs.
        finds: ``chained`` in a later member of a chain, else nothing.
    """

    slot: ClassVar[str] = ''
    task: ClassVar[str] = 'auxiliary'
    aside: ClassVar[dict[str, Any]] = {'after': str | None, 'before': str | None}
    chooses_partners: ClassVar[bool] = False
    free_pairs: ClassVar[bool] = False
    is_stage: ClassVar[bool] = True
    takes_chain: ClassVar[bool] = False
    passes: ClassVar[dict[str, str]] = {}
    chained: Mapping[str, str] = {}
    finds: Mapping[str, str] = {}
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
    follows: tuple[str, ...] = ()
    dim: int | None = None
    joint: bool = True

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Return the new values of the fields in ``provides``."""
        raise NotImplementedError

    def place(self, slot: str, index: int) -> None:
        """Tell the component where it stands: its slot, and its index in the chain there."""
        self.finds = self.chained if index else {}

    def seen(self, state: GroundingState) -> GroundingState:
        """Return the state as the component is to read it: a later member of a chain finds the
        result of the one before in its input."""
        if not self.finds:
            return state
        return state.update(**{name: getattr(state, made) for name, made in self.finds.items()})

    def follow(self, slots: Mapping[str, Sequence['Component']]) -> None:
        """Get the components of the slots in ``follows``, to keep a moving average of them.

        They stay what they are: whoever follows reads their weights and changes nothing in them.
        Without ``follows`` there is nobody to get, and nothing to do.

        Args:
            slots: The components of every slot, in the order in which they run.
        """

    def check_pyramid(self, strides: tuple[float, ...]) -> None:
        """Check that the component is set up for the pyramid that it will get.

        By default any pyramid will do.

        Args:
            strides: Clips per cell of every level.

        Raises:
            ConfigError: It is not; says what to set.
        """

    def choosing(self, progress: Progress) -> bool:
        """Whether it chooses partners at this time of the training; else the next sample is one."""
        return False

    def partners(self, state: GroundingState) -> Tensor:
        """Choose for every sample another one, ``(B,)``, whose text it gets in the negative pass.

        Asked while it is :meth:`choosing` where ``model.negatives.partner`` names it, behind all
        stages of the main pass.
        """
        raise NotImplementedError

    def pairs(self, state: GroundingState) -> tuple[Tensor | None, Tensor]:
        """Choose the pairs of the negative pass: the videos ``(P,)`` and their texts ``(P,)``.

        By default every video, for which None stands, with the text of its partner. A component
        with ``free_pairs`` may choose others; then it alone reads the negative pass.
        """
        return None, self.partners(state)

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """Return weighted scalar losses by name; names start with ``loss_``.

        ``state.targets`` is set and every stage has run, the negative pass included.
        """
        return {}

    def existence(self, state: GroundingState) -> Tensor | None:
        """Return logits ``(B,)``, high where the video holds a moment of the query; None where the
        component has nothing to say about it.

        Args:
            state: Behind all stages.
        """
        return None

    def revise(self, state: GroundingState, lists: dict[str, MomentList]) -> dict[str, MomentList]:
        """Change the decoded moments before the post-processing; by default nothing.

        Args:
            state: Behind all stages.
            lists: Ranked moments in seconds by the name of the list.
        """
        return lists


class Projector(Component):
    """Maps features to tokens ``(B, ·, D)``; a later member of a chain maps the tokens so far.

    Attributes:
        modality: ``'video'``, ``'audio'`` (on the clips of the video) or ``'text'``, told by the
            slot.
        mask_field: The state field that masks its features.
        in_dim: Width of the features.
        row_shape: Axes of a clip or word in front of the width, such as the layers of a backbone.
    """

    slot = 'projector'
    takes_chain = True
    modality: str = ''
    mask_field: str = 'video_mask'
    in_dim: int
    row_shape: tuple[int, ...] = ()

    def place(self, slot: str, index: int) -> None:
        """See :meth:`Component.place`."""
        self.modality = modality = slot.removesuffix('_projector')
        self.mask_field = 'text_mask' if modality == 'text' else 'video_mask'
        self.requires = (f'{modality}_features', self.mask_field)
        self.provides = (f'projected_{modality}', modality)
        self.chained = {f'{modality}_features': modality}
        super().place(slot, index)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``projected_video`` and ``video``, or those of the other modality."""
        features = getattr(state, f'{self.modality}_features')
        mask = getattr(state, self.mask_field)
        if features is None:
            raise ConfigError(
                f'model.{self.modality}_projector reads {self.modality} features, but the batch '
                f'has none; name their stores in benchmark.{self.modality}.'
            )
        if features.shape[-1] != self.in_dim:
            raise ConfigError(self._other_width(features.shape[-1]))
        tokens = self.project(features, mask)
        return {f'projected_{self.modality}': tokens, self.modality: tokens}

    def _other_width(self, width: int) -> str:
        if self.finds:
            return (
                f'a projector of model.{self.modality}_projector has in_dim={self.in_dim}, but the '
                f'one before it gives {width} columns; set in_dim to that.'
            )
        ends = ', temporal endpoints included' if self.modality == 'video' else ''
        return (
            f'model.{self.modality}_projector reads {self.in_dim} columns, but the {self.modality} '
            f'features have {width}{ends}; set in_dim of the projector, or the width of the '
            'features in benchmark and in the loaders, so that they agree.'
        )

    def project(self, features: Tensor, mask: Tensor) -> Tensor:
        """Map features ``(B, ·, D_in)`` and their mask to tokens ``(B, ·, D)``."""
        raise NotImplementedError


class LocalSaliencyHead(Component):
    """Scores clips before fusion and pools the text into a sentence."""

    slot = 'local_saliency_head'
    task = 'saliency'
    requires: tuple[str, ...] = ('projected_video', 'projected_text')
    provides: tuple[str, ...] = ('local_saliency', 'sentence')
    negative_reads: tuple[str, ...] = ('local_saliency',)


class Embedding(Component):
    """Adds token embeddings and computes the position encodings."""

    slot = 'embedding'
    requires: tuple[str, ...] = ('video', 'text')
    provides: tuple[str, ...] = ('video', 'text', 'video_pos', 'text_pos')
    text_free: tuple[str, ...] = ('video', 'video_pos')


class Refiner(Component):
    """Changes video or text tokens before fusion."""

    slot = 'refiner'
    takes_chain = True
    requires: tuple[str, ...] = ('video', 'text')
    provides: tuple[str, ...] = ('video',)


class Fusion(Component):
    """Brings the text into the video tokens."""

    slot = 'fusion'
    takes_chain = True
    chained: Mapping[str, str] = {'video': 'fused'}
    passes: ClassVar[dict[str, str]] = {'fused': 'video'}
    requires: tuple[str, ...] = ('video', 'text', 'video_pos', 'text_pos')
    provides: tuple[str, ...] = ('fused',)


class Encoder(Component):
    """Encodes the fused sequence."""

    slot = 'encoder'
    takes_chain = True
    chained: Mapping[str, str] = {'fused': 'memory', 'fused_text': 'memory_text'}
    passes: ClassVar[dict[str, str]] = {'memory': 'fused'}
    requires: tuple[str, ...] = ('fused', 'video_pos')
    provides: tuple[str, ...] = ('memory',)


class Neck(Component):
    """Makes features per scale or per task from the memory.

    Attributes:
        strides: Clips per cell of every level of the pyramid, where it makes one.
    """

    slot = 'neck'
    takes_chain = True
    reads: tuple[str, ...] = ('moment_memory',)
    strides: tuple[float, ...] = ()
    requires: tuple[str, ...] = ('memory',)


class SaliencyHead(Component):
    """Scores every clip after fusion."""

    slot = 'saliency_head'
    task = 'saliency'
    requires: tuple[str, ...] = ('memory',)
    reads: tuple[str, ...] = ('saliency_memory',)
    provides: tuple[str, ...] = ('saliency',)
    negative_reads: tuple[str, ...] = ('saliency',)


class MomentHead(Component):
    """Predicts moments.

    Attributes:
        lists: Names of the result lists; the first is reported unless ``test_cfg.output`` says
            otherwise.
    """

    slot = 'moment_head'
    lists: tuple[str, ...] = ()
    task = 'moment'
    joint = False
    requires: tuple[str, ...] = ('memory', 'video_pos')
    reads: tuple[str, ...] = ('moment_memory',)
    provides: tuple[str, ...] = ('spans', 'span_scores', 'moment_outputs')

    def predict(self, state: GroundingState) -> dict[str, MomentList]:
        """Decode the outputs into ranked lists in seconds, by the names in ``lists``."""
        raise NotImplementedError


class Feedback(Component):
    """Lets the result of one task change the input of the other.

    ``state.run(stages)`` runs named stages again on a changed state.

    Attributes:
        runs: The stages that it runs again.
        changes: State fields that it changes for them.
        takes: State fields of their result that it uses.
        passes_on: State fields of their result that it sets as they are, where they are made.
        needs_slots: Those of ``runs`` that must not be empty.
    """

    slot = 'feedback'
    takes_chain = True
    runs: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    passes_on: tuple[str, ...] = ()
    needs_slots: tuple[str, ...] = ()
    joint = False


class Auxiliary(Component):
    """A branch beside the pipeline: it has parameters and losses and sets no field of the state.

    Most exist in training only; one that also has a say in the result does so in :meth:`revise`.
    """

    slot = 'auxiliary'
    takes_chain = True
    is_stage = False

    def forward(self, state: GroundingState) -> dict[str, Any]:
        return {}


class LossBalancer(BaseModule):
    """Combines the losses of the tasks. It reads no state, so it is no component."""

    slot: ClassVar[str] = 'loss_balancer'

    def forward(self, losses: dict[str, dict[str, Tensor]]) -> dict[str, Tensor]:
        """Turn ``{task: {name: loss}}`` into ``{name: loss}``; the sum is minimised."""
        raise NotImplementedError


SLOT_TYPES: dict[str, type[Component]] = {
    'video_projector': Projector,
    'audio_projector': Projector,
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
}
