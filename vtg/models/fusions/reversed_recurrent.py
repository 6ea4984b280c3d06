# SPDX-License-Identifier: Apache-2.0
"""Fusion of video and text layer by layer, from the last layer of the backbone to earlier ones."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from vtg.models.base import Fusion
from vtg.models.extras import LayeredText, LayeredVideo, LayerSteps
from vtg.models.layers import (
    TemporalBlock,
    WeightedPooling,
    masked_softmax,
)
from vtg.registry import MODELS
from vtg.structures import GroundingState
from vtg.utils import ConfigError


@MODELS.register_module()
class ReversedRecurrentFusion(Fusion):
    """Goes through the layers of the backbone from the last to earlier ones; every step pools the
    patches of a clip by the words, adds them to its class token, mixes that with what the steps
    before made, and passes it through one temporal block that all steps share.

    Liu et al., "R2-Tuning: Efficient Image-to-Video Transfer Learning for Video Temporal
    Grounding", ECCV 2024, section 3.2. The pooled words of the last step, the earliest layer, are
    the sentence.

    Args:
        dim: Token width.
        num_heads, hidden_dim, dropout, drop_path: See :class:`vtg.models.layers.TemporalBlock`.
        backbone_layers: Layers of the backbone.
        mask_padding: False lets words that are padding take part in the maximum over words, as the
            released code does.
    """

    requires = (
        'layered_video', 'layered_text', 'video_mask', 'text_mask', 'video_pos',
    )  # fmt: skip
    suggests: ClassVar[dict[str, str]] = {
        'layered_video': 'LayeredProjector',
        'layered_text': 'LayeredProjector',
    }
    chained: dict[str, str] = {}
    provides = ('fused', 'sentence', 'layer_steps')

    def __init__(
        self,
        dim: int,
        num_heads: int = 8,
        hidden_dim: int = 1024,
        backbone_layers: int = 4,
        dropout: float = 0.0,
        drop_path: float = 0.1,
        mask_padding: bool = True,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.backbone_layers = backbone_layers
        self.mask_padding = mask_padding
        self.patch_proj = nn.Linear(dim, dim)
        self.word_proj = nn.Linear(dim, dim)
        # Of every layer and, but for the last, which begins, of every mixture.
        self.pooled_scales = nn.Parameter(torch.zeros(backbone_layers))
        self.gates = nn.Parameter(torch.zeros(backbone_layers - 1))
        self.block = TemporalBlock(dim, num_heads, hidden_dim, dropout, drop_path)
        self.pooling = WeightedPooling(dim)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``fused (B, L, D)``, ``sentence (B, D)`` and ``layer_steps``."""
        video, text = state.extras[LayeredVideo].tokens, state.extras[LayeredText].tokens
        if not video.shape[2] == text.shape[2] == self.backbone_layers:
            raise ConfigError(
                f'model.fusion ({type(self).__name__}) has backbone_layers={self.backbone_layers}, '
                f'but the video comes with {video.shape[2]} layers, the text with {text.shape[2]}; '
                'set backbone_layers and row_shape of both projectors to the same number of layers.'
            )
        clips, sentences = [], []
        fused: Tensor | None = None
        for layer in reversed(range(self.backbone_layers)):
            patches, words = video[:, :, layer], text[:, :, layer]
            pooled = self.pool(patches, words, state.text_mask)
            x = patches[:, :, 0] + self.pooled_scales[layer].tanh() * pooled
            if fused is not None:
                gate = self.gates[layer].sigmoid()
                x = gate * x + (1 - gate) * fused
            fused = self.block(x, state.video_mask, state.video_pos, words, state.text_mask)
            clips.append(patches[:, :, 0])
            sentences.append(self.pooling(words, state.text_mask))
        steps = LayerSteps(torch.stack(clips, dim=1), torch.stack(sentences, dim=1))
        return {'fused': fused, 'sentence': sentences[-1], 'layer_steps': steps}

    def pool(self, patches: Tensor, words: Tensor, word_mask: Tensor) -> Tensor:
        """Every word pools the patches of a clip and adds itself; a channel keeps the largest.

        Args:
            patches: ``(B, L, P, D)``.
            words: ``(B, N, D)``.
            word_mask: ``(B, N)`` True = real.

        Returns:
            ``(B, L, D)``.
        """
        logits = torch.einsum('bnd,blpd->blnp', self.word_proj(words), self.patch_proj(patches))
        every = torch.ones((), dtype=torch.bool, device=logits.device)
        weights = masked_softmax(logits * words.shape[-1] ** -0.5, every).to(patches.dtype)
        found = weights @ patches + words.unsqueeze(1)  # (B, L, N, D)
        if not self.mask_padding:
            return found.amax(dim=2)
        lowest = torch.finfo(found.dtype).min
        found = found.masked_fill(~word_mask[:, None, :, None], lowest).amax(dim=2)
        # A sample without words has nothing to add.
        return torch.where(word_mask.any(dim=1)[:, None, None], found, found.new_zeros(()))
