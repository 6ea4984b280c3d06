# SPDX-License-Identifier: Apache-2.0
"""Projection of several streams of features to one sequence of tokens."""

import torch
from torch import Tensor, nn

from vtg.models.base import Projector
from vtg.registry import MODELS
from vtg.utils import ConfigError

from .linear_projector import LinearProjector


@MODELS.register_module()
class StreamSum(Projector):
    """Projects every stream by itself and adds the tokens.

    The form in which audio joins the video in UVCOM (Xiao et al., CVPR 2024). Streams are parts of
    the features, side by side.

    Args:
        in_dim: Width of the features, all streams and temporal endpoint features included.
        dim: Width of the tokens.
        widths: Width of every stream, in their order.
        num_layers, dropout, xavier: See :class:`LinearProjector`.
    """

    def __init__(
        self,
        in_dim: int,
        dim: int,
        widths: tuple[int, ...],
        num_layers: int = 2,
        dropout: float = 0.5,
        xavier: bool = False,
    ) -> None:
        super().__init__()
        if sum(widths) != in_dim:
            raise ConfigError(
                f'StreamSum: the widths {tuple(widths)} are {sum(widths)} columns together, but '
                f'the features have {in_dim}; set widths to those of the streams, with their '
                'temporal endpoint features.'
            )
        self.in_dim = in_dim
        self.dim = dim
        self.widths = tuple(widths)
        self.streams = nn.ModuleList(
            LinearProjector(width, dim, num_layers, dropout, xavier).layers for width in widths
        )

    def project(self, features: Tensor, mask: Tensor) -> Tensor:
        """``(B, ·, in_dim)`` to ``(B, ·, dim)``."""
        parts = features.split(self.widths, dim=-1)
        tokens = [stream(part) for stream, part in zip(self.streams, parts)]
        return torch.stack(tokens).sum(dim=0)
