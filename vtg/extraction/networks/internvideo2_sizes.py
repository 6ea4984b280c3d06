# SPDX-License-Identifier: Apache-2.0
"""Sizes of the released models."""

from dataclasses import dataclass, replace
from typing import TypedDict

from vtg.utils import ConfigError


@dataclass(frozen=True)
class TowerSizes:
    """Sizes of the vision tower.

    Attributes:
        dim, depth, heads, mlp_dim: Width, blocks, heads and inner width of the trunk.
        pool_heads, pooled_dim: Heads and result of the attention pooling.
        image_size, patch_size: Pixels of the square frames and of a patch.
        frames: Frames that the model was trained on.
        projected_dim: Width of the contrastive projection behind the pooling; None has none.
        image_positions: Whether single frames have positions of their own.
    """

    dim: int = 1408
    depth: int = 40
    heads: int = 16
    mlp_dim: int = 6144
    pool_heads: int = 16
    pooled_dim: int = 768
    image_size: int = 224
    patch_size: int = 14
    frames: int = 8
    projected_dim: int | None = None
    image_positions: bool = False

    def __post_init__(self) -> None:
        # Positions are sines and cosines of a time and two places.
        for heads in (self.heads, self.pool_heads):
            if self.dim % heads or self.dim % 16:
                raise ConfigError(
                    f'width {self.dim} is no multiple of {heads} (heads) and of 16 (positions).'
                )
        if self.image_size % self.patch_size:
            raise ConfigError(
                f'{self.image_size} pixels are no whole number of patches of {self.patch_size}.'
            )

    @property
    def grid(self) -> int:
        """Patches per side."""
        return self.image_size // self.patch_size


@dataclass(frozen=True)
class TextSizes:
    """Sizes of a text tower.

    Attributes:
        dim, layers, heads, mlp_dim: Width, layers that run, heads and inner width.
        vocabulary, positions: Tokens that are known, and tokens of a sentence at most; LLaMA has no
            table of positions.
        projected_dim: Width of the space that sentences are projected to.
    """

    dim: int
    layers: int
    heads: int
    mlp_dim: int
    vocabulary: int
    positions: int
    projected_dim: int


class ChangedTower(TypedDict, total=False):
    """What may differ from a released vision tower, see :class:`TowerSizes`."""

    dim: int
    depth: int
    heads: int
    mlp_dim: int
    pool_heads: int
    pooled_dim: int
    image_size: int
    patch_size: int
    frames: int
    projected_dim: int
    image_positions: bool


class ChangedText(TypedDict, total=False):
    """What may differ from a released text tower, see :class:`TextSizes`."""

    dim: int
    layers: int
    heads: int
    mlp_dim: int
    vocabulary: int
    positions: int
    projected_dim: int


class Changes(TypedDict, total=False):
    """Sizes that differ from those of a variant."""

    vision: ChangedTower
    text: ChangedText


_BERT = TextSizes(1024, 19, 16, 4096, 30522, 512, 512)
_LLAMA = TextSizes(4096, 32, 32, 11008, 49954, 2048, 768)
_STAGE2 = TowerSizes(frames=4, projected_dim=512, image_positions=True)

VARIANTS = {
    'stage2_1b': (_STAGE2, _BERT),
    'clip_1b': (TowerSizes(), _LLAMA),
    'clip_6b': (TowerSizes(dim=3200, depth=48, heads=25, mlp_dim=12800), _LLAMA),
}
"""Sizes of the vision and of the text tower of every released model."""


def sizes_of(variant: str, changes: Changes | None = None) -> tuple[TowerSizes, TextSizes]:
    """The sizes of a variant with some of them changed."""
    vision, text = VARIANTS[variant]
    changes = changes or {}
    return replace(vision, **changes.get('vision', {})), replace(text, **changes.get('text', {}))
