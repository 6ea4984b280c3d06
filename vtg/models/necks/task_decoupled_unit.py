# SPDX-License-Identifier: Apache-2.0
"""One stream of features per task."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from torch import Tensor, nn

from vtg.models.base import Neck
from vtg.models.layers import EncoderStack, Init, init_transformer
from vtg.models.layers.max_pool import MaskedMaxPool1d
from vtg.registry import MODELS
from vtg.structures import GroundingState
from vtg.utils.arguments import ArgumentsOf


@MODELS.register_module()
class TaskDecoupledUnit(Neck):
    """Splits the memory into a stream for the moments and one for the highlights.

    Each task has a linear map and an expert of its own; a shared expert reads both maps, and its
    output gates the task's expert: ``expert(map(x)) * pool(shared(map(x)))`` (TaskWeave, Yang et
    al., 2024; the pooling is the released code's).

    Args:
        dim: Token width.
        moment_expert: Config of the expert of the moments.
        saliency_expert: Config of the expert of the highlights.
        num_layers: Encoder layers of the shared expert.
        num_heads: Attention heads.
        hidden_dim: Width inside the feed-forward networks.
        dropout: Inside the feed-forward networks.
        drop_path: Stochastic depth per sample.
        residual_dropout: Dropout of single elements of a branch before its residual.
        pool: Arguments of :class:`MaskedMaxPool1d`, by which the shared output is maximised:
            ``dict(kernel_size=5, mask_padding=True)``.
        init: Initialisation of all matrices, see :func:`init_transformer`.
        attention_dropout: On attention weights; None takes ``dropout``.
    """

    requires = ('memory', 'video_pos')
    reads = ()
    parts: ClassVar[dict[str, Any]] = {
        'moment_expert': {'type': 'ConvExpert'},
        'saliency_expert': {'type': 'IdentityExpert'},
    }
    provides = ('moment_memory', 'saliency_memory')

    def __init__(
        self,
        dim: int,
        moment_expert: dict,
        saliency_expert: dict,
        num_layers: int = 2,
        num_heads: int = 8,
        hidden_dim: int = 1024,
        dropout: float = 0.1,
        drop_path: float = 0.0,
        residual_dropout: float = 0.0,
        pool: Annotated[Mapping[str, Any], ArgumentsOf(MaskedMaxPool1d)] | None = None,
        init: Init = None,
        attention_dropout: float | None = None,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.moment_map = nn.Linear(dim, dim)
        self.saliency_map = nn.Linear(dim, dim)
        self.shared = EncoderStack(
            num_layers, dim, num_heads, hidden_dim,
            dropout=dropout, drop_path=drop_path, residual_dropout=residual_dropout,
            attention_dropout=attention_dropout,
        )  # fmt: skip
        self.pool = MaskedMaxPool1d(**(pool or {}))
        self.moment_expert = MODELS.build(moment_expert)
        self.saliency_expert = MODELS.build(saliency_expert)
        init_transformer(self, init)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``moment_memory`` and ``saliency_memory (B, L, D)``."""
        moment = self._stream(state, self.moment_map, self.moment_expert)
        saliency = self._stream(state, self.saliency_map, self.saliency_expert)
        return {'moment_memory': moment, 'saliency_memory': saliency}

    def _stream(self, state: GroundingState, task_map: nn.Module, expert: nn.Module) -> Tensor:
        mask, position = state.video_mask, state.video_pos
        mapped = task_map(state.memory)
        shared = self.pool(self.shared(mapped, mask, position), mask)
        return expert(mapped, mask, position) * shared
