# SPDX-License-Identifier: Apache-2.0
"""Cross-modal fusion in both directions."""

from typing import Any, Literal

import torch
from torch import Tensor, nn

from vtg.models.base import Fusion
from vtg.models.layers import (
    Dropout,
    FeedForward,
    Init,
    ProjectedAttention,
    attention_rate,
    clones,
    init_transformer,
    tiled_padding_mask,
)
from vtg.registry import MODELS
from vtg.structures import GroundingState
from vtg.utils import ConfigError


class BidirectionalLayer(nn.Module):
    """One layer of :class:`BiCMF`; see there for the arguments."""

    def __init__(
        self,
        dim: int,
        num_heads: int,
        hidden_dim: int,
        dropout: float,
        last_stage: Literal['feed_forward', 'self_attention'],
        normalize_words: bool,
        attention_dropout: float | None,
    ) -> None:
        super().__init__()

        def attention() -> ProjectedAttention:
            rate = attention_rate(dropout, attention_dropout)
            return ProjectedAttention(dim, num_heads, rate)

        self.clip_attention, self.word_attention = attention(), attention()
        self.mutual_attention = attention()
        self.clip_linear, self.word_linear = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.mutual_linear = nn.Linear(dim, dim)
        self.clip_norm, self.mutual_norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.word_norm = nn.LayerNorm(dim) if normalize_words else nn.Identity()
        self.last_norm = nn.LayerNorm(dim)
        self.feed_forward: FeedForward | None = None
        self.self_attention: nn.MultiheadAttention | None = None
        if last_stage == 'feed_forward':
            self.feed_forward = FeedForward(dim, hidden_dim, dropout)
        else:
            self.self_attention = attention()
        self.dropout = Dropout(dropout)

    def forward(
        self,
        video: Tensor,
        video_pos: Tensor,
        video_mask: Tensor,
        text: Tensor,
        text_pos: Tensor,
        text_mask: Tensor,
        blocked: Tensor | None = None,
        everywhere: bool = False,
    ) -> Tensor:
        """Return the clips ``(B, L, D)``; ``blocked (B, H, L, N)`` True = clip and word must not
        see each other; ``everywhere`` adds the positions in the third attention, too."""
        drop = self.dropout
        towards_words = None if blocked is None else blocked.transpose(2, 3)
        video_key, text_key = video + video_pos, text + text_pos
        taken = drop(self.clip_attention(video_key, text_key, text, text_mask, blocked))
        clips = self.clip_norm(video + self.clip_linear(taken))
        taken = drop(self.word_attention(text_key, video_key, video, video_mask, towards_words))
        words = self.word_norm(text + self.word_linear(taken))
        query, key = (clips + video_pos, words + text_pos) if everywhere else (clips, words)
        taken = drop(self.mutual_attention(query, key, words, text_mask, blocked))
        clips = self.mutual_norm(clips + self.mutual_linear(taken))
        if self.self_attention is not None:
            query = clips + video_pos
            return self.last_norm(
                clips + drop(self.self_attention(query, query, clips, video_mask))
            )
        assert self.feed_forward is not None
        inner = self.feed_forward(clips)
        return self.last_norm(inner + drop(inner))


@MODELS.register_module()
class BiCMF(Fusion):
    """Bi-directional cross-modal fusion: clips attend to words, words to clips, and the clips that
    know the words to the words that know the clips.

    VideoLights (Paul et al., arXiv 2412.01558), section III-C. The layer ends with a feed-forward
    network that has no residual connection from its input, as in the released code; the paper has a
    self-attention there, normalises the words as well, and learns positions at every input.

    Args:
        dim: Token width.
        num_layers: Number of layers, each over the same words.
        num_heads: Attention heads.
        hidden_dim: Width inside the feed-forward network.
        dropout: Inside the feed-forward network and on all branches.
        last_stage: ``'feed_forward'`` or ``'self_attention'``.
        normalize_words: Normalise the words that have attended to the clips.
        mask_layout: ``'correct'``, or ``'tiled'``: block words by the padding of other samples, as
            the released code does, see :func:`vtg.models.layers.tiled_padding_mask`.
        init: Initialise as DETR's code does, see :func:`vtg.models.layers.init_transformer`.
        attention_dropout: On attention weights; None takes ``dropout``.
        learned_positions: Most clips and most words: a learned vector per place of either takes the
            place of the given positions, in all attentions. None takes the given ones, as the
            released code, which has none in the third attention.

    Raises:
        ConfigError: On a batch with more clips or words than ``learned_positions``.
    """

    def __init__(
        self,
        dim: int,
        num_layers: int = 1,
        num_heads: int = 8,
        hidden_dim: int = 1024,
        dropout: float = 0.1,
        last_stage: Literal['feed_forward', 'self_attention'] = 'feed_forward',
        normalize_words: bool = False,
        mask_layout: Literal['correct', 'tiled'] = 'correct',
        init: Init = 'xavier',
        attention_dropout: float | None = None,
        learned_positions: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        for name, value, known in (
            ('last_stage', last_stage, ('feed_forward', 'self_attention')),
            ('mask_layout', mask_layout, ('correct', 'tiled')),
        ):
            if value not in known:
                raise ConfigError(f'BiCMF: {name} must be {" or ".join(known)}, got {value!r}.')
        self.dim = dim
        self.num_heads = num_heads
        self.mask_layout = mask_layout
        self.joint = mask_layout == 'correct'
        layer = BidirectionalLayer(
            dim, num_heads, hidden_dim, dropout, last_stage, normalize_words, attention_dropout
        )
        self.layers = clones(layer, num_layers)
        init_transformer(self, init)
        self.positions: nn.ParameterList | None = None
        if learned_positions is not None:
            self.positions = nn.ParameterList(
                nn.init.normal_(torch.empty(most, dim), std=0.02) for most in learned_positions
            )

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """See :class:`vtg.models.base.Fusion`."""
        blocked = None
        if self.mask_layout == 'tiled':
            blocked = tiled_padding_mask(state.video_mask, state.text_mask, self.num_heads)
        video, video_pos, text_pos = state.video, state.video_pos, state.text_pos
        if self.positions is not None:
            video_pos, text_pos = self._learned(video.shape[1], state.text.shape[1])
        for layer in self.layers:
            video = layer(
                video,
                video_pos,
                state.video_mask,
                state.text,
                text_pos,
                state.text_mask,
                blocked,
                everywhere=self.positions is not None,
            )
        return {'fused': video}

    def _learned(self, clips: int, words: int) -> tuple[Tensor, Tensor]:
        """Positions ``(L, D)`` of the clips and ``(N, D)`` of the words."""
        assert self.positions is not None
        most = tuple(len(table) for table in self.positions)
        if clips > most[0] or words > most[1]:
            raise ConfigError(
                f'BiCMF: a batch has {clips} clips and {words} words, but learned_positions are '
                f'{most}; raise them to the longest video and query.'
            )
        return self.positions[0][:clips], self.positions[1][:words]
