# SPDX-License-Identifier: Apache-2.0
"""Saliency-guided cross-attention."""

from typing import Any, ClassVar

from torch import Tensor, nn

from vtg.models.base import Fusion
from vtg.models.layers import DropPath, FeedForward, RawAttention, attention_rate, clones
from vtg.registry import MODELS
from vtg.structures import GroundingState


class SaliencyGuidedLayer(nn.Module):
    """One layer of :class:`SGCA`: attention, then a feed-forward network whose output is normalised
    before and after its residual."""

    def __init__(
        self,
        dim: int,
        num_heads: int,
        hidden_dim: int,
        dropout: float,
        drop_path: float,
        project: bool,
        attention_dropout: float | None,
    ) -> None:
        super().__init__()
        rate = attention_rate(dropout, attention_dropout)
        self.attention = RawAttention(dim, num_heads, rate, project)
        self.feed_forward = FeedForward(dim, hidden_dim, dropout)
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)
        self.drop_path = DropPath(drop_path)

    def forward(
        self, video: Tensor, position: Tensor, text: Tensor, text_mask: Tensor, gate: Tensor | None
    ) -> Tensor:
        """``video (B, L, D)`` attends to ``text (B, N, D)``; ``gate (B, L)`` in [0, 1]."""
        attended = self.attention(video + position, text, text, key_mask=text_mask, gate=gate)
        video = video + self.drop_path(attended)
        return self.norm2(video + self.drop_path(self.norm1(self.feed_forward(video))))


@MODELS.register_module()
class SGCA(Fusion):
    """Saliency-guided cross-attention: clips that do not match the sentence take less text in.

    Clips attend to words; all attention weights of clip i are multiplied by the sigmoid of its
    local saliency after the softmax (SG-DETR, arXiv 2410.01615, eq. 3 to 5). Queries, keys and
    values are the tokens themselves, as in the released code, or projections of them.

    Args:
        dim: Token width.
        num_layers: Number of layers; they start with identical weights and share one output norm.
        num_heads: Attention heads.
        hidden_dim: Width inside the feed-forward network.
        dropout: Inside the feed-forward network.
        drop_path: Stochastic depth per sample.
        gate: False gives the plain cross-attention of the ablation.
        project: Project queries, keys and values, as in eq. 3.
        attention_dropout: On attention weights; None takes ``dropout``.
    """

    can_do_without: ClassVar[dict[str, str]] = {'local_saliency': 'gate=False'}

    def __init__(
        self,
        dim: int,
        num_layers: int = 2,
        num_heads: int = 8,
        hidden_dim: int = 1024,
        dropout: float = 0.1,
        drop_path: float = 0.15,
        gate: bool = True,
        project: bool = False,
        attention_dropout: float | None = None,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.gate = gate
        if gate:
            self.requires = (*self.requires, 'local_saliency')
        layer = SaliencyGuidedLayer(
            dim, num_heads, hidden_dim, dropout, drop_path, project, attention_dropout
        )
        self.layers = clones(layer, num_layers)
        self.norm = nn.LayerNorm(dim)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """See :class:`vtg.models.base.Fusion`."""
        gate = state.local_saliency.sigmoid() if self.gate else None
        video, text = state.video, state.text
        for layer in self.layers:
            video = layer(video, state.video_pos, text + state.text_pos, state.text_mask, gate)
            # The text is normalised between the layers as well: the second one sees unit scale.
            video, text = self.norm(video), self.norm(text)
        return {'fused': self.norm(video)}
