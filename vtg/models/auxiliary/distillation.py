# SPDX-License-Identifier: Apache-2.0
"""Alignment of whole videos and texts with a slowly moving teacher and a memory of past batches."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vtg.models.base import Component
from vtg.models.layers import cosine, unit, xavier_linear
from vtg.models.losses import masked_mean
from vtg.registry import MODELS
from vtg.structures import GroundingState
from vtg.utils import ConfigError

from .clip_text import AlignmentBranch

MODALITIES = ('video', 'text')
# What a temperature that learns may be.
TEMPERATURES = (1e-3, 0.5)


@MODELS.register_module()
class MomentumAlignment(AlignmentBranch):
    """A video must be closer to its own text than to those of this batch and of many before it, and
    the other way round; a teacher says how much closer.

    Momentum distillation (ALBEF, Li et al., 2021) on mean clips and words, as LD-DETR's "distill
    align" does it (Zhao et al., arXiv 2501.10787, section 3.2). The teacher is a moving average of
    the projectors, which moves before it is read. Its vectors of past batches are kept in memories.
    The targets are its similarities, mixed with the pairs themselves. Teacher, memories and the
    place in them belong to the weights of the model, so that a run that is continued has them.

    Args:
        dim: Token width.
        queue_size: Vectors per memory, K. A batch is kept if its size divides K.
        momentum: Share of the teacher that stays in every training step.
        distillation: Share of the teacher in the targets.
        temperature: Initial divisor of the cosines; it is learned, within [0.001, 0.5].
        warmup_steps: Training steps in which ``distillation`` grows from 0.
        weight: Factor of the loss.
        average_over: See :class:`AlignmentBranch`.
    """

    requires = ('projected_video', 'projected_text')
    follows = tuple(f'{modality}_projector' for modality in MODALITIES)

    steps: Tensor
    queue_ptr: Tensor

    def __init__(
        self,
        dim: int,
        queue_size: int = 65536,
        momentum: float = 0.995,
        distillation: float = 0.4,
        temperature: float = 0.07,
        warmup_steps: int = 0,
        weight: float = 1.0,
        average_over: Literal['valid', 'padded'] = 'valid',
    ) -> None:
        super().__init__(average_over)
        if queue_size < 1:
            raise ConfigError(
                f'MomentumAlignment: queue_size is {queue_size}; expected at least 1.'
            )
        self.dim = dim
        self.queue_size = queue_size
        self.momentum = momentum
        self.distillation = distillation
        self.warmup_steps = warmup_steps
        self.weight = weight
        self.temperature = nn.Parameter(torch.tensor(float(temperature)))
        # Noise until batches have replaced it, always the same.
        generator = torch.Generator().manual_seed(0)
        for modality in MODALITIES:
            noise = torch.randn(dim, queue_size, generator=generator)
            self.register_buffer(f'{modality}_queue', unit(noise, dim=0))
        self.register_buffer('queue_ptr', torch.zeros(1, dtype=torch.long))
        self.register_buffer('steps', torch.zeros((), dtype=torch.long))
        self.teachers = nn.ModuleDict()
        self._students: dict[str, Sequence[Component]] = {}

    def follow(self, slots: Mapping[str, Sequence[Component]]) -> None:
        """See :meth:`vtg.models.base.Component.follow`."""
        # In a dict they are no parts of this component, and copies of the model keep the tie.
        self._students = dict(slots)
        for slot, students in slots.items():
            self.teachers[slot] = nn.ModuleList(deepcopy(list(students))).requires_grad_(False)

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """``loss_align``, the mean over both directions and all samples that match."""
        with torch.no_grad():
            if self.training:
                self._move()
            self.temperature.clamp_(*TEMPERATURES)
            teachers = self._vectors(self._taught(state))
            banks = {
                modality: torch.cat((teachers[modality].T, self.get_buffer(f'{modality}_queue')), 1)
                for modality in MODALITIES
            }  # (D, B + K)
            share = self._share()
        students = self._vectors(state)
        video, text = MODALITIES
        losses = [
            masked_mean(
                self._distance(students[one], teachers[one], banks[other], share),
                state.targets.answerable,
            )
            for one, other in ((video, text), (text, video))
        ]
        if self.training:
            self._remember(teachers)
        return {'loss_align': self.weight * (losses[0] + losses[1]) / 2}

    def _distance(self, student: Tensor, teacher: Tensor, bank: Tensor, share: Tensor) -> Tensor:
        """Cross-entropy ``(B,)`` of similarities with vectors ``(D, B + K)``, whose first B are
        one's own and those of the other samples."""
        with torch.no_grad():
            itself = torch.eye(len(teacher), bank.shape[1], device=bank.device, dtype=bank.dtype)
            taught = (teacher @ bank / self.temperature).softmax(dim=1)
            wanted = share * taught + (1 - share) * itself
        found = (student @ bank / self.temperature).log_softmax(dim=1)
        return -(wanted * found).sum(dim=1)

    def _share(self) -> Tensor:
        """Share of the teacher in the targets; ``steps`` counts the steps before this one."""
        share = torch.full((), self.distillation, device=self.steps.device)
        if not self.warmup_steps:
            return share
        return share * (self.steps / self.warmup_steps).clamp(max=1)

    def _vectors(self, state: GroundingState) -> dict[str, Tensor]:
        """Mean clip and mean word ``(B, D)``, of length 1."""
        return {
            'video': unit(self.mean(state.projected_video, state.video_mask)),
            'text': unit(self.mean(state.projected_text, state.text_mask)),
        }

    def _taught(self, state: GroundingState) -> GroundingState:
        """The state as the projectors of the teacher make it from the features."""
        for teachers in self.teachers.values():
            assert isinstance(teachers, nn.ModuleList)
            for teacher in teachers:
                assert isinstance(teacher, Component)
                state = state.update(**teacher(teacher.seen(state)))
        return state

    def _move(self) -> None:
        for slot, students in self._students.items():
            online = nn.ModuleList(students)
            for kept, new in zip(self.teachers[slot].parameters(), online.parameters()):
                kept.lerp_(new.detach().to(kept.dtype), 1 - self.momentum)

    @torch.no_grad()
    def _remember(self, vectors: dict[str, Tensor]) -> None:
        """Overwrite the oldest vectors of the memories."""
        size = len(vectors['video'])
        self.steps += 1
        if self.queue_size % size:
            return
        place = (self.queue_ptr + torch.arange(size, device=self.queue_ptr.device)) % (
            self.queue_size
        )
        for modality in MODALITIES:
            queue = self.get_buffer(f'{modality}_queue')
            queue.index_copy_(1, place, vectors[modality].T.to(queue.dtype))
        self.queue_ptr.copy_((self.queue_ptr + size) % self.queue_size)


@MODELS.register_module()
class MutualPrediction(AlignmentBranch):
    """A map must turn the mean clip of a video into its mean word, and the mean word into the mean
    clip (LD-DETR, Zhao et al., released code; it is not in the paper).

    ``-(cos(W relu(v), t) + cos(W relu(t), v)) / 2``; both sides learn.

    Args:
        dim: Token width.
        weight: Factor of the loss.
        average_over: See :class:`AlignmentBranch`.
    """

    requires = ('projected_video', 'projected_text')

    def __init__(
        self, dim: int, weight: float = 1.0, average_over: Literal['valid', 'padded'] = 'valid'
    ) -> None:
        super().__init__(average_over)
        self.dim = dim
        self.weight = weight
        self.map = xavier_linear(nn.Linear(dim, dim), bias=None)

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """``loss_sim``, the mean over all samples that match."""
        video = unit(self.mean(state.projected_video, state.video_mask))
        text = unit(self.mean(state.projected_text, state.text_mask))
        forward = cosine(self.map(F.relu(video)), text)
        backward = cosine(self.map(F.relu(text)), video)
        mean = masked_mean(forward + backward, state.targets.answerable)
        return {'loss_sim': -self.weight * mean / 2}
