# SPDX-License-Identifier: Apache-2.0
"""The vision tower; modules are named as in the published checkpoints.

Wang et al., "InternVideo2: Scaling Foundation Models for Multimodal Video Understanding", ECCV
2024. Products of matrices are computed in the type of their weights, all else in float32.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, scaled_dot_product_attention

from .internvideo2_positions import fresh_positions
from .internvideo2_sizes import TowerSizes

GELUS = {'exact': 'none', 'tanh': 'tanh'}


class _Linear(nn.Linear):
    """A linear map of inputs of any type."""

    def forward(self, x: Tensor) -> Tensor:
        return linear(x.to(self.weight.dtype), self.weight, self.bias)


class _RMSNorm(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        """Float32, whatever comes in."""
        x = x.float()
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6) * self.weight


class _Scale(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        return x.float() * self.gamma


class _PatchEmbed(nn.Module):
    """Every patch of every frame on its own: a convolution whose stride is its kernel."""

    def __init__(self, sizes: TowerSizes) -> None:
        super().__init__()
        patch = (1, sizes.patch_size, sizes.patch_size)
        self.proj = nn.Conv3d(3, sizes.dim, patch, patch)

    def forward(self, clips: Tensor) -> Tensor:
        """Map ``(B, 3, T, S, S)`` to ``(B, T, N, D)``, rows of patches before columns."""
        weight, size = self.proj.weight, self.proj.kernel_size[-1]
        patches = clips.unflatten(4, (-1, size)).unflatten(3, (-1, size))  # (B, 3, T, R, p, C, p)
        patches = patches.permute(0, 2, 3, 5, 1, 4, 6).flatten(4).flatten(2, 3)
        return linear(patches.to(weight.dtype), weight.flatten(1), self.proj.bias).float()


class _Attention(nn.Module):
    """Queries and keys are normalised over all heads together."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = _Linear(dim, 3 * dim, bias=False)
        self.q_norm, self.k_norm = _RMSNorm(dim), _RMSNorm(dim)
        self.proj = _Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.qkv(x).chunk(3, dim=-1)
        parts = (self.q_norm(query).to(value.dtype), self.k_norm(key).to(value.dtype), value)
        split = [part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts]
        return self.proj(scaled_dot_product_attention(*split).transpose(1, 2).flatten(2))


class _Mlp(nn.Module):
    def __init__(self, dim: int, inner: int, gelu: str) -> None:
        super().__init__()
        self.fc1, self.fc2 = _Linear(dim, inner), _Linear(inner, dim)
        self.activation = nn.GELU(GELUS[gelu])

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.activation(self.fc1(x)))


class Block(nn.Module):
    """A block of the trunk: ``(B, N, D)`` to the same."""

    def __init__(self, sizes: TowerSizes, gelu: str) -> None:
        super().__init__()
        self.norm1, self.norm2 = _RMSNorm(sizes.dim), _RMSNorm(sizes.dim)
        self.attn = _Attention(sizes.dim, sizes.heads)
        self.mlp = _Mlp(sizes.dim, sizes.mlp_dim, gelu)
        self.ls1, self.ls2 = _Scale(sizes.dim), _Scale(sizes.dim)

    def forward(self, x: Tensor) -> Tensor:
        """Attend, then map, each added to what comes in."""
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class _CrossAttention(nn.Module):
    """Attention whose biases are parameters beside the maps."""

    def __init__(self, sizes: TowerSizes) -> None:
        super().__init__()
        dim = sizes.dim
        self.heads = sizes.pool_heads
        self.q, self.k, self.v = (nn.Linear(dim, dim, bias=False) for _ in range(3))
        self.q_bias, self.k_bias, self.v_bias = (nn.Parameter(torch.zeros(dim)) for _ in range(3))
        self.proj = _Linear(dim, sizes.pooled_dim)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        inputs = ((query, self.q, self.q_bias), (key, self.k, self.k_bias),
                  (value, self.v, self.v_bias))  # fmt: skip
        split = []
        for x, layer, bias in inputs:
            part = linear(x.to(layer.weight.dtype), layer.weight, bias)
            split.append(part.unflatten(-1, (self.heads, -1)).transpose(1, 2))
        return self.proj(scaled_dot_product_attention(*split).transpose(1, 2).flatten(2))


class _AttentionPool(nn.Module):
    """The mean of all tokens asks all tokens."""

    def __init__(self, sizes: TowerSizes) -> None:
        super().__init__()
        self.norm1_q, self.norm1_k, self.norm1_v = (nn.LayerNorm(sizes.dim) for _ in range(3))
        self.cross_attn = _CrossAttention(sizes)

    def forward(self, tokens: Tensor) -> Tensor:
        query = self.norm1_q(tokens.mean(dim=1, keepdim=True))
        return self.cross_attn(query, self.norm1_k(tokens), self.norm1_v(tokens))[:, 0].float()


class VisionTower(nn.Module):
    """Clips to tokens and to one pooled vector.

    Args:
        sizes: Of the tower; ``frames`` and ``image_size`` are those of the clips that it gets.
        gelu: ``'exact'``, or ``'tanh'`` as the fused kernels of the original code compute it.
    """

    def __init__(self, sizes: TowerSizes, gelu: str = 'exact') -> None:
        super().__init__()
        self.sizes = sizes
        dim = sizes.dim
        self.patch_embed = _PatchEmbed(sizes)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(fresh_positions(dim, sizes.frames, sizes.grid)[None])
        if sizes.image_positions:
            self.img_pos_embed = nn.Parameter(fresh_positions(dim, 1, sizes.grid)[None])
        self.blocks = nn.ModuleList(Block(sizes, gelu) for _ in range(sizes.depth))
        self.clip_projector = _AttentionPool(sizes)

    def to_type(self, dtype: torch.dtype) -> 'VisionTower':
        """Let matrices, which are nearly all of the weights, be of a type of half the size."""
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Conv3d | _CrossAttention):
                for parameter in module.parameters(recurse=False):
                    parameter.data = parameter.data.to(dtype)
        return self

    def positions(self, frames: int) -> Tensor:
        """Positions of clips of so many frames, class token first, ``(1, 1 + frames * N, D)``."""
        if frames != 1 or self.sizes.frames == 1:
            return self.pos_embed
        if self.sizes.image_positions:
            return self.img_pos_embed
        patches = self.pos_embed[:, 1:].unflatten(1, (self.sizes.frames, -1)).mean(dim=1)
        return torch.cat((self.pos_embed[:, :1], patches), dim=1)

    def forward(self, clips: Tensor) -> Tensor:
        """Map ``(B, 3, T, S, S)`` to the tokens ``(B, 1 + T * N, D)``, class token first."""
        patches = self.patch_embed(clips).flatten(1, 2)
        x = torch.cat((self.cls_token.expand(len(patches), -1, -1), patches), dim=1)
        x = x + self.positions(clips.shape[2])
        for block in self.blocks:
            x = block(x)
        return x

    def pool(self, tokens: Tensor) -> Tensor:
        """Map tokens ``(B, N, D)`` to one vector each, ``(B, E)``, not normalised."""
        return self.clip_projector(tokens)


class VisionModel(nn.Module):
    """The tower and, in stage 2, the projection into the space that clips and sentences share."""

    def __init__(self, sizes: TowerSizes, gelu: str = 'exact') -> None:
        super().__init__()
        self.vision_encoder = VisionTower(sizes, gelu)
        if sizes.projected_dim:
            self.vision_proj = _Linear(sizes.pooled_dim, sizes.projected_dim)

    def forward(self, clips: Tensor, feature: str) -> Tensor:
        """Map ``(B, 3, T, S, S)`` to ``(B, D)`` float32.

        Args:
            clips: Normalised frames.
            feature: ``'projected'``, ``'pooled'``, or ``'mean'`` of the patch tokens.
        """
        tokens = self.vision_encoder(clips)
        if feature == 'mean':
            return tokens[:, 1:].mean(dim=1)
        pooled = self.vision_encoder.pool(tokens)
        return self.vision_proj(pooled).float() if feature == 'projected' else pooled
