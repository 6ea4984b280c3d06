# SPDX-License-Identifier: Apache-2.0
"""Clip scores after fusion."""

from typing import Any, ClassVar, Literal

from torch import Tensor, nn

from vtg.models.base import SaliencyHead
from vtg.models.extras import Context
from vtg.models.layers import SummedLinear, amplify, masked_fill_zero
from vtg.models.losses import SaliencyLosses
from vtg.registry import MODELS
from vtg.structures import GroundingState, in_float32


class SupervisedSaliencyHead(SaliencyHead):
    """A saliency head with a dict of losses.

    Args:
        losses: Saliency losses by name.
    """

    def __init__(self, losses: dict[str, dict | None] | None = None) -> None:
        super().__init__()
        self.losses = SaliencyLosses(losses, 'saliency')

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """Every configured term on the final scores."""
        negative = None if state.negative is None else state.negative.saliency
        return self.losses(state.saliency, state, negative)


@MODELS.register_module()
class LinearSaliencyHead(SupervisedSaliencyHead):
    """One linear score per clip (Moment-DETR, Lei et al., 2021, section 4.1).

    Args:
        dim: Token width.
        losses: Saliency losses by name.
        summed: Score with :class:`vtg.models.layers.SummedLinear`, as TR-DETR.
    """

    def __init__(
        self, dim: int, losses: dict[str, dict | None] | None = None, summed: bool = False
    ) -> None:
        super().__init__(losses)
        self.dim = dim
        self.score = SummedLinear(dim) if summed else nn.Linear(dim, 1)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``saliency (B, L)``; padded clips hold anything."""
        return {'saliency': self.score(state.for_saliency).squeeze(-1)}


@MODELS.register_module()
class ContextProductSaliencyHead(SupervisedSaliencyHead):
    """Scaled product of every clip with the context token of its video.

    ``<P_1 m_i, P_2 c> / sqrt(D)`` (QD-DETR, Moon et al., 2023, section 3.3).

    Args:
        dim: Token width.
        losses: Saliency losses by name.
        context: ``'token'`` of the encoder, or the ``'mean'`` of the clips (FlashVTG, Cao et al.,
            2025, eq. 4), or their ``'padded_mean'``, in which padding counts as clips, as in
            FlashVTG's code.
    """

    can_do_without: ClassVar[dict[str, str]] = {'context': "context='mean'"}

    def __init__(
        self,
        dim: int,
        losses: dict[str, dict | None] | None = None,
        context: Literal['token', 'mean', 'padded_mean'] = 'token',
    ) -> None:
        super().__init__(losses)
        if context == 'token':
            self.requires = (*self.requires, 'context')
        self.dim = dim
        self.context = context
        self.clip_proj = nn.Linear(dim, dim)
        self.context_proj = nn.Linear(dim, dim)
        self.scale = dim**-0.5

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``saliency (B, L)``; padded clips hold anything."""
        clips = in_float32(self.clip_proj(state.for_saliency))
        context = self.context_proj(self._context(state)).unsqueeze(1)
        return {'saliency': (clips * context).sum(dim=-1) * self.scale}

    def _context(self, state: GroundingState) -> Tensor:
        """What the clips are compared with, ``(B, D)``."""
        if self.context == 'token':
            return state.extras[Context].token
        clips = in_float32(state.for_saliency)
        if self.context == 'padded_mean':
            return clips.mean(dim=1)
        total = masked_fill_zero(clips, state.video_mask).sum(dim=1)
        return total / state.video_mask.sum(dim=1, keepdim=True)


@MODELS.register_module()
class LocalToGlobalSaliencyHead(SupervisedSaliencyHead):
    """Corrects the local saliency with what fusion and encoder have learnt about a clip.

    ``S_global = S_local + Linear(amplify(memory, S_local))``, the linear layer starting at zero
    (SG-DETR, arXiv 2410.01615, eq. 8).

    Args:
        dim: Token width.
        losses: Saliency losses by name.
    """

    requires = (*SaliencyHead.requires, 'local_saliency')

    def __init__(self, dim: int, losses: dict[str, dict | None] | None = None) -> None:
        super().__init__(losses)
        self.dim = dim
        self.offset = nn.Linear(dim, 1)
        nn.init.zeros_(self.offset.weight)
        nn.init.zeros_(self.offset.bias)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``saliency (B, L)``; padded clips hold anything."""
        local = state.local_saliency
        offset = self.offset(amplify(state.for_saliency, local)).squeeze(-1)
        return {'saliency': local + offset}


@MODELS.register_module()
class LocalSaliency(SupervisedSaliencyHead):
    """Takes the local saliency as the final one: the ablation without a global score."""

    requires = ('local_saliency',)
    reads = ()

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``saliency (B, L)``."""
        return {'saliency': state.local_saliency}
