# SPDX-License-Identifier: Apache-2.0
"""Projection of what several layers of a backbone know of every clip or word."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from vtg.models.extras import LayeredText, LayeredVideo
from vtg.registry import MODELS
from vtg.structures import GroundingState
from vtg.utils import ConfigError

from .linear_projector import LinearProjector


@MODELS.register_module()
class LayeredProjector(LinearProjector):
    """One stack of linear layers for the features of all backbone layers.

    R2-Tuning (Liu et al., ECCV 2024): a clip has the tokens of several layers of its image encoder,
    earliest first, each with the class token in front of its patches, and a word one feature per
    layer of the text encoder. Plain features ``(B, ·, in_dim)`` stand for all layers and patches.

    Args:
        in_dim: Width of one token, temporal endpoint features included.
        dim: Width of the tokens.
        row_shape: Axes of a clip or word in front of the width: ``(layers, patches)`` of the video,
            ``(layers,)`` of the text.
        layer: Whose tokens, for the video its class tokens, are the plain ones that other
            components read.
        num_layers, dropout: See :class:`LinearProjector`.
    """

    def __init__(
        self,
        in_dim: int,
        dim: int,
        row_shape: Sequence[int],
        layer: int = -1,
        num_layers: int = 2,
        dropout: float = 0.5,
    ) -> None:
        super().__init__(in_dim, dim, num_layers, dropout)
        self.row_shape = tuple(row_shape)
        if not self.row_shape or not -self.row_shape[0] <= layer < self.row_shape[0]:
            raise ConfigError(
                f'LayeredProjector: layer is {layer}, but row_shape is {self.row_shape}; expected '
                'a number of a layer, the first of the axes.'
            )
        self.layer = layer

    def place(self, slot: str, index: int) -> None:
        """See :meth:`vtg.models.base.Component.place`."""
        super().place(slot, index)
        if self.modality in ('video', 'text'):
            self.provides = (*self.provides, f'layered_{self.modality}')

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``layered_video`` or ``layered_text`` beside the plain tokens ``(B, ·, D)``."""
        found = super().forward(state)
        # Layers, and what they have of a clip or word in a row.
        tokens = found[self.modality]
        layered = tokens.reshape(*tokens.shape[:3], -1, tokens.shape[-1])
        names = (f'projected_{self.modality}', self.modality)
        values: dict[str, Any] = dict.fromkeys(names, layered[:, :, self.layer, 0])
        if self.modality == 'video':
            values['layered_video'] = LayeredVideo(layered)
        elif self.modality == 'text':
            values['layered_text'] = LayeredText(layered[:, :, :, 0])
        return values

    def project(self, features: Tensor, mask: Tensor) -> Tensor:
        """``(B, ·, *row_shape, in_dim)`` or ``(B, ·, in_dim)`` to ``(B, ·, *row_shape, D)``."""
        axes = tuple(features.shape[2:-1])
        if axes and axes != self.row_shape:
            raise ConfigError(
                f'model.{self.modality}_projector has row_shape={self.row_shape}, but every row of '
                f'the {self.modality} features has the axes {axes}; set row_shape to those.'
            )
        tokens: Tensor = self.layers(features)
        if axes:
            return tokens
        size, count, dim = tokens.shape
        tokens = tokens.view(size, count, *(1 for _ in self.row_shape), dim)
        return tokens.expand(size, count, *self.row_shape, dim)
