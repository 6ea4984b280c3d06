# SPDX-License-Identifier: Apache-2.0
"""Attention between clips and words in both directions."""

import torch
from torch import Tensor, nn

from .dropout import Dropout
from .functional import masked_softmax


class ContextQueryAttention(nn.Module):
    """Context-query attention (QANet, Yu et al., 2018; VSLNet, Zhang et al., 2020).

    Args:
        dim: Token width.
        dropout: On clips and words where they are compared.
    """

    def __init__(self, dim: int, dropout: float = 0.1) -> None:
        super().__init__()

        def weight(*shape: int) -> nn.Parameter:
            return nn.Parameter(nn.init.xavier_uniform_(torch.empty(*shape)))

        self.clip_weight, self.word_weight = weight(dim, 1), weight(dim, 1)
        self.product_weight = weight(1, 1, dim)
        self.dropout = Dropout(dropout)
        self.attended = nn.Linear(4 * dim, dim)

    def scores(self, video: Tensor, text: Tensor) -> Tensor:
        """Trilinear similarity ``(B, L, N)`` of clips and words."""
        video, text = self.dropout(video), self.dropout(text)
        product = (video * self.product_weight) @ text.transpose(1, 2)
        return product + video @ self.clip_weight + (text @ self.word_weight).transpose(1, 2)

    def attend(self, video: Tensor, text: Tensor, video_mask: Tensor, text_mask: Tensor) -> Tensor:
        """What clips take in of the words, and of the clips that these words point to.

        Args:
            video: ``(B, L, D)``.
            text: ``(B, N, D)``.
            video_mask, text_mask: ``(B, L)`` and ``(B, N)`` True = real.

        Returns:
            ``(B, L, D)``; padded clips hold anything.
        """
        scores = self.scores(video, text)
        over_words = masked_softmax(scores, text_mask[:, None, :], dim=2)
        over_clips = masked_softmax(scores, video_mask[:, :, None], dim=1)
        words = over_words @ text
        # From the right: clips by clips would grow with the square of the length.
        clips = over_words @ (over_clips.transpose(1, 2) @ video)
        return self.attended(torch.cat((video, words, video * words, video * clips), dim=-1))
