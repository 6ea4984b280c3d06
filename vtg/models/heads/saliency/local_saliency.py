# SPDX-License-Identifier: Apache-2.0
"""Clip scores before fusion."""

from typing import Any, Literal

import torch
from torch import Tensor, nn

from vtg.models.base import LocalSaliencyHead
from vtg.models.layers import FeedForward, RawAttention, clones, unit
from vtg.models.losses import SaliencyLosses
from vtg.registry import MODELS
from vtg.structures import GroundingState
from vtg.utils import ConfigError


class PoolingLayer(nn.Module):
    """A query vector attends to the words, then passes a feed-forward network."""

    def __init__(self, dim: int, num_heads: int, hidden_dim: int, dropout: float) -> None:
        super().__init__()
        self.attention = RawAttention(dim, num_heads, dropout)
        self.attention_norm = nn.LayerNorm(dim)
        self.feed_forward = FeedForward(dim, hidden_dim, dropout)
        self.feed_forward_norm = nn.LayerNorm(dim)

    def forward(self, query: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        """``query (B, 1, D)``, ``text (B, N, D)``, ``mask (B, N)`` to ``(B, 1, D)``."""
        words = self.attention_norm(text)
        query = query + self.attention(query, words, words, key_mask=mask)
        return query + self.feed_forward(self.feed_forward_norm(query))


class SentencePooling(nn.Module):
    """Pools the words into one vector with a learned query (SG-DETR, arXiv 2410.01615, eq. 1).

    Args:
        dim: Token width.
        num_layers: Pooling layers; all read the raw words.
        num_heads: Attention heads.
        hidden_dim: Width inside the feed-forward networks.
        dropout: On attention weights and inside the feed-forward networks.
    """

    def __init__(
        self, dim: int, num_layers: int, num_heads: int, hidden_dim: int, dropout: float
    ) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.empty(dim))
        layer = PoolingLayer(dim, num_heads, hidden_dim, dropout)
        for module in layer.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
        self.layers = clones(layer, num_layers)
        # Normalises between the layers, so a single layer has none.
        self.norm = nn.LayerNorm(dim) if num_layers > 1 else None
        nn.init.trunc_normal_(self.query, std=0.02)

    def forward(self, text: Tensor, mask: Tensor) -> Tensor:
        """``(B, N, D)`` and ``(B, N)`` to ``(B, D)``."""
        sentence = self.query.expand(text.shape[0], 1, -1)
        for index, layer in enumerate(self.layers):
            if index > 0 and self.norm is not None:
                sentence = self.norm(sentence)
            sentence = layer(sentence, text, mask)
        return sentence.squeeze(1)


@MODELS.register_module()
class CosineSaliencyHead(LocalSaliencyHead):
    """Scaled cosine between every clip and the pooled sentence.

    ``exp(scale) * cos(v_i, s) + shift`` (SG-DETR, arXiv 2410.01615, eq. 2).

    Args:
        dim: Token width.
        num_layers: Layers of the sentence pooling.
        num_heads: Attention heads of the pooling.
        hidden_dim: Width inside the pooling's feed-forward networks.
        dropout: Of the pooling.
        init_scale: Start of the logarithmic scale.
        negative_video: Which video tokens the negative pass scores: ``'projected'``, as the
            positive one, or ``'embedded'`` (modality embedding included), as the released code.
        losses: Saliency losses on the local scores by name.
        raw_dim: Compare the features as they are stored, the first ``raw_dim`` columns of clips and
            words, as in the paper, where both backbones share a space; None takes the projected
            tokens, as the released code. The sentence then has this width.
    """

    joint = False  # the negative pass has its sentence already, and may score other tokens

    def __init__(
        self,
        dim: int,
        num_layers: int = 2,
        num_heads: int = 8,
        hidden_dim: int = 1024,
        dropout: float = 0.1,
        init_scale: float = 3.0,
        negative_video: Literal['projected', 'embedded'] = 'projected',
        losses: dict[str, dict | None] | None = None,
        raw_dim: int | None = None,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.negative_video = negative_video
        self.raw_dim = raw_dim
        if raw_dim is not None:
            if negative_video == 'embedded':
                raise ConfigError(
                    'CosineSaliencyHead: raw features have no modality embedding; set '
                    "negative_video='projected' beside raw_dim."
                )
            self.requires = ('video_features', 'text_features')
        self.pooling = SentencePooling(raw_dim or dim, num_layers, num_heads, hidden_dim, dropout)
        self.scale = nn.Parameter(torch.tensor(float(init_scale)))
        self.shift = nn.Parameter(torch.tensor(0.0))
        self.losses = SaliencyLosses(losses, 'local_saliency')

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``sentence (B, D)`` and ``local_saliency (B, L)``; padded clips hold anything."""
        video, sentence = (
            self._compared(state.video_features, state.projected_video),
            state.sentence,
        )
        if state.is_negative:
            if self.negative_video == 'embedded':
                video = state.video
        else:
            words = self._compared(state.text_features, state.projected_text)
            sentence = self.pooling(words, state.text_mask)
        clips, query = unit(video), unit(sentence)
        score = torch.einsum('bld,bd->bl', clips, query) * self.scale.exp() + self.shift
        return {'sentence': sentence, 'local_saliency': score}

    def _compared(self, features: Tensor, projected: Tensor) -> Tensor:
        """What is compared of features ``(B, ., F)`` and projected tokens ``(B, ., D)``."""
        if self.raw_dim is None:
            return projected
        if features.shape[-1] < self.raw_dim:
            raise ConfigError(
                f'CosineSaliencyHead: raw_dim is {self.raw_dim}, but features have '
                f'{features.shape[-1]} columns; set it to the width that clips and words share.'
            )
        return features[..., : self.raw_dim]

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """Every configured term on the local scores."""
        negative = None if state.negative is None else state.negative.local_saliency
        return self.losses(state.local_saliency, state, negative)
