# SPDX-License-Identifier: Apache-2.0
"""Alignment of moments and sentences, in training only."""

from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vtg.models.base import Auxiliary
from vtg.models.layers import EncoderStack, unit
from vtg.models.losses import masked_mean, sigmoid_focal_loss
from vtg.registry import MODELS
from vtg.structures import GroundingState


class TokenEncoder(nn.Module):
    """Encodes a sequence together with a learned token that sums it up.

    Args:
        dim: Token width.
        num_layers: Encoder layers.
        kwargs: See :class:`vtg.models.layers.EncoderStack`.
    """

    def __init__(self, dim: int, num_layers: int, **kwargs: Any) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.randn(1, dim))
        self.position = nn.Parameter(torch.randn(1, dim))
        self.layers = EncoderStack(num_layers, dim, **kwargs)

    def forward(
        self, x: Tensor, keys: Tensor, position: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Encode.

        Args:
            x: ``(B, L, D)``.
            keys: ``(B, L)`` True where attention may look; the token is always visible.
            position: ``(B, L, D)`` or None for zeros.

        Returns:
            The token ``(B, D)`` and the sequence ``(B, L, D)``.
        """
        batch = len(x)
        position = torch.zeros_like(x) if position is None else position
        x = torch.cat((self.token.expand(batch, 1, -1), x), dim=1)
        position = torch.cat((self.position.expand(batch, 1, -1), position), dim=1)
        encoded = self.layers(x, torch.cat((keys.new_ones(batch, 1), keys), dim=1), position)
        return encoded[:, 0], encoded[:, 1:]


@MODELS.register_module()
class MomentSentenceAlignment(Auxiliary):
    """Aligns the encoded moment with the encoded sentence and tells its clips from the others.

    Two encoders that exist in training only (CG-DETR, Moon et al., 2023, section 3.4, in the form
    of SG-DETR, arXiv 2410.01615, section 3.7). The alignment is a focal loss on the cosines between
    all moments and all sentences of the batch; the released code sums over sentences, so it grows
    with the batch.

    Args:
        dim: Token width.
        num_layers: Layers of the moment encoder.
        sentence_layers: Layers of the sentence encoder; None for as many.
        num_heads: Attention heads.
        hidden_dim: Width inside the feed-forward networks.
        dropout: Inside the feed-forward networks.
        drop_path: Stochastic depth per sample.
        align_weight: Weight of the alignment.
        clip_weight: Weight of the moment clip classification.
        average_over: Divisor of the clip classification: ``'valid'`` clips or ``'padded'`` ones, as
            in the released code.
        attention_dropout: On attention weights; None takes ``dropout``.
    """

    requires = ('video', 'text', 'video_pos')

    def __init__(
        self,
        dim: int,
        num_layers: int = 1,
        sentence_layers: int | None = None,
        num_heads: int = 8,
        hidden_dim: int = 1024,
        dropout: float = 0.1,
        drop_path: float = 0.15,
        align_weight: float = 1.0,
        clip_weight: float = 3.0,
        average_over: Literal['valid', 'padded'] = 'valid',
        attention_dropout: float | None = None,
    ) -> None:
        super().__init__()
        self.dim: int = dim
        options: dict[str, Any] = dict(
            num_heads=num_heads, hidden_dim=hidden_dim, dropout=dropout, drop_path=drop_path,
            attention_dropout=attention_dropout,
        )  # fmt: skip
        self.moment_encoder = TokenEncoder(dim, num_layers, **options)
        self.sentence_encoder = TokenEncoder(dim, sentence_layers or num_layers, **options)
        self.align_weight = align_weight
        self.clip_weight = clip_weight
        self.average_over = average_over

    def encode(self, state: GroundingState) -> tuple[Tensor, Tensor, Tensor]:
        """Return moment tokens ``(B, D)``, clips ``(B, L, D)`` and sentence tokens ``(B, D)``."""
        inside = state.video_mask & (state.targets.saliency > 0)
        outside = state.video_mask & ~inside
        moment, clips_inside = self.moment_encoder(state.video, inside, state.video_pos)
        _, clips_outside = self.moment_encoder(state.video, outside, state.video_pos)
        clips = torch.where(inside.unsqueeze(-1), clips_inside, clips_outside)
        sentence, _ = self.sentence_encoder(state.text, state.text_mask)
        return moment, clips, sentence

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """``loss_moment_sentence`` and ``loss_moment_clips``."""
        moment, clips, sentence = self.encode(state)
        cosine = unit(moment) @ unit(sentence).T  # (B, B)
        pairs = torch.eye(len(cosine), device=cosine.device, dtype=cosine.dtype)
        every = sigmoid_focal_loss(cosine, pairs, alpha=0.5, gamma=2.0).sum(dim=1)
        align = masked_mean(every, state.targets.answerable)  # without a moment no row

        logits = torch.einsum('bd,bld->bl', moment, clips) * self.dim**-0.5
        target = (state.targets.saliency > 0).to(logits.dtype)
        clip_loss = F.binary_cross_entropy_with_logits(logits, target, reduction='none')
        clip = masked_mean(clip_loss, state.video_mask)
        if self.average_over == 'padded':
            clip = (clip_loss * state.video_mask).mean()
        return {
            'loss_moment_sentence': self.align_weight * align,
            'loss_moment_clips': self.clip_weight * clip,
        }
