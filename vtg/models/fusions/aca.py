# SPDX-License-Identifier: Apache-2.0
"""Adaptive cross-attention."""

from typing import Any, Literal

import torch
from torch import Tensor, nn

from vtg.models.base import Fusion
from vtg.models.extras import Attention, Context, Dummies
from vtg.models.layers import (
    FeedForward,
    Init,
    RawAttention,
    attention_rate,
    clones,
    dropout,
    init_transformer,
    masked_softmax,
    residual_noise,
    tiled_padding_mask,
)
from vtg.models.layers.attention import attention_mask, merge_heads
from vtg.models.losses import SaliencyLosses
from vtg.registry import MODELS
from vtg.structures import GroundingState

from .saliency_token import MomentAdaptiveToken


class WeighedAttention(RawAttention):
    """Attention that also returns its weights.

    Args:
        dim, num_heads, dropout, project: See :class:`RawAttention`.
    """

    def forward(  # type: ignore[override]
        self, query: Tensor, key: Tensor, value: Tensor, key_mask: Tensor, blocked: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Attend; see :meth:`RawAttention.forward`.

        Returns:
            The output ``(B, L, D)`` and the mean over heads of the weights ``(B, L, S)`` before
            dropout. Keys beyond those that have a value count in the weights only: with S keys and
            N values, the values belong to the last N keys.
        """
        query, key, value = self.heads(query, key, value)
        logits = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
        visible = attention_mask(key_mask, blocked)
        assert visible is not None
        weights = masked_softmax(logits, visible)
        used = dropout(weights[..., -value.shape[2] :], self.dropout, self.training)
        return self.out_proj(merge_heads(used @ value)), weights.mean(dim=1)


class ACALayer(nn.Module):
    """One layer of :class:`ACA`: ``a = x + A``, ``out = LN2(a + FFN(LN1(a)))``."""

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
        self.attention = WeighedAttention(
            dim, num_heads, attention_rate(dropout, attention_dropout), project
        )
        self.feed_forward = FeedForward(dim, hidden_dim, dropout)
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)
        self.noise = residual_noise(drop_path)

    def absorb(self, x: Tensor, attended: Tensor) -> Tensor:
        """Add what was attended to ``x`` and pass the feed-forward network; both ``(B, ., D)``."""
        x = x + self.noise(attended)
        return self.norm2(x + self.noise(self.feed_forward(self.norm1(x))))

    def forward(
        self,
        video: Tensor,
        position: Tensor,
        key: Tensor,
        text: Tensor,
        key_mask: Tensor,
        blocked: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """Return the new video ``(B, L, D)`` and the attention weights ``(B, L, S)``."""
        attended, weights = self.attention(video + position, key, text, key_mask, blocked)
        return self.absorb(video, attended), weights

    def without_keys(self, token: Tensor) -> Tensor:
        """The layer for tokens ``(B, D)`` that attend to nothing."""
        return self.absorb(token, self.attention.out_proj(torch.zeros_like(token)))


def text_share(state: GroundingState) -> Tensor:
    """How much of its attention a clip gives to words rather than dummies: ``(B, L)`` in [0, 1]."""
    words = state.extras[Attention].weights[..., -state.text.shape[1] :]
    return (words * state.text_mask.unsqueeze(1)).sum(dim=-1).clamp(0, 1)


@MODELS.register_module()
class ACA(Fusion):
    """Adaptive cross-attention: clips that the query does not describe attend to dummies instead.

    Clips attend to dummies and words in one softmax, but take in words only, so that an irrelevant
    clip receives little text (CG-DETR, Moon et al., 2023, section 3.2; FlashVTG, Cao et al., 2025,
    section 3.3). Without dummies it is a cross-attention to the words.

    Args:
        dim: Token width.
        num_layers: Number of layers; all look at the same dummies and words.
        num_heads: Attention heads.
        hidden_dim: Width inside the feed-forward networks.
        dropout: Inside the feed-forward networks.
        drop_path: Stochastic depth per sample on the residual branches.
        project: Project queries, keys and values (the papers) or not (the released code).
        context: Config of what makes a context token of clips and attention, e.g.
            ``MomentAdaptiveToken``. The token passes the layers too, without anything to attend to.
        losses: Saliency losses by name on the share of attention that clips give to words.
        mask_layout: ``'correct'``, or ``'tiled'``: block words by the padding of other samples, as
            the released code does, see :func:`vtg.models.layers.tiled_padding_mask`.
        init: Initialise as DETR's code does, see :func:`vtg.models.layers.init_transformer`.
        attention_dropout: On attention weights; None takes ``dropout``.
    """

    reads = ('dummies',)
    provides: tuple[str, ...] = ('fused', 'attention')
    negative_reads = ('attention',)

    def __init__(
        self,
        dim: int,
        num_layers: int = 2,
        num_heads: int = 8,
        hidden_dim: int = 1024,
        dropout: float = 0.1,
        drop_path: float = 0.1,
        project: bool = False,
        context: dict | None = None,
        losses: dict[str, dict | None] | None = None,
        mask_layout: Literal['correct', 'tiled'] = 'correct',
        init: Init = 'xavier',
        attention_dropout: float | None = None,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.num_heads = num_heads
        self.mask_layout = mask_layout
        self.joint = mask_layout == 'correct'
        layer = ACALayer(dim, num_heads, hidden_dim, dropout, drop_path, project, attention_dropout)
        self.layers = clones(layer, num_layers)
        init_transformer(self.layers, init)
        self.context: MomentAdaptiveToken | None = None
        if context is not None:
            self.context = MODELS.build(context)
            self.provides = (*self.provides, 'context')
        self.losses = SaliencyLosses(losses, 'attention')
        if self.losses:
            # Without dummies the words' share is always 1, and so is every loss on it constant.
            self.loss_requires = ('dummies', 'attention')

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``fused (B, L, D)``, ``attention``, the mean over layers and heads, and ``context``
        where it is configured; see :mod:`vtg.models.extras`."""
        key, key_mask = state.text + state.text_pos, state.text_mask
        if (dummies := state.extras.get(Dummies)) is not None:
            key = torch.cat((dummies.tokens + dummies.positions, key), dim=1)
            always = key_mask.new_ones(dummies.tokens.shape[:2])
            key_mask = torch.cat((always, key_mask), dim=1)
        blocked = None
        if self.mask_layout == 'tiled':
            blocked = tiled_padding_mask(state.video_mask, key_mask, self.num_heads)
        video = state.video
        maps: list[Tensor] = []
        for layer in self.layers:
            video, weights = layer(video, state.video_pos, key, state.text, key_mask, blocked)
            maps.append(weights)
        values: dict[str, Any] = {
            'fused': video,
            'attention': Attention(sum(maps[1:], maps[0]) / len(maps)),
        }
        if self.context is not None:
            share = text_share(state.update(**values))
            token = self.context(state.video, state.video_mask, share)
            for layer in self.layers:
                assert isinstance(layer, ACALayer)
                token = layer.without_keys(token)
            values['context'] = Context(token)
        return values

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """Every configured term on the words' share, and the losses of the context token."""
        share = text_share(state)
        negative = None if state.negative is None else text_share(state.negative)
        losses = {} if self.context is None else self.context.loss()
        return losses | self.losses(share, state, negative)
