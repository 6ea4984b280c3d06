# SPDX-License-Identifier: Apache-2.0
"""Modality embeddings and position encodings."""

from typing import Any

import torch
from torch import nn

from vtg.models.base import Embedding
from vtg.models.layers import sine_clip_positions
from vtg.registry import MODELS
from vtg.structures import GroundingState


@MODELS.register_module()
class TokenEmbedding(Embedding):
    """Tells video from text tokens and encodes where a clip lies in its video.

    Clip positions are sinusoidal and relative to the sample's own length; text has none. Both are
    added to queries and keys by the attention layers, not to the tokens.

    Args:
        dim: Token width.
        modality: Add a learned vector per modality to the tokens (row 0 text, row 1 video).
        temperature: Base of the wavelengths of the position code.
        mask_padding: False makes positions relative to the padded length, as the released code of
            R2-Tuning does.
    """

    def __init__(
        self,
        dim: int,
        modality: bool = True,
        temperature: float = 10000.0,
        mask_padding: bool = True,
    ) -> None:
        super().__init__()
        self.dim: int = dim
        self.temperature = temperature
        self.mask_padding = mask_padding
        self.modality = nn.Embedding(2, dim) if modality else None
        if self.modality is not None:
            nn.init.normal_(self.modality.weight, std=0.02)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """See :class:`vtg.models.base.Embedding`."""
        video, text = state.video, state.text
        if self.modality is not None:
            text = text + self.modality.weight[0]
            video = video + self.modality.weight[1]
        mask = state.video_mask
        mask = mask if self.mask_padding else torch.ones_like(mask)
        position = sine_clip_positions(mask, self.dim, self.temperature)
        return {
            'video': video,
            'text': text,
            'video_pos': position.to(video.dtype),
            'text_pos': torch.zeros_like(text),
        }
