# SPDX-License-Identifier: Apache-2.0
"""Experts of a task: what :class:`~vtg.models.necks.TaskDecoupledUnit` does to its features alone.

Every expert maps ``x (B, L, D)``, the mask ``(B, L)`` and the positions ``(B, L, D)`` to
``(B, L, D)``. The four kinds are those of TaskWeave (Yang et al., 2024), Table 5.
"""

from typing import Literal

from torch import Tensor, nn

from vtg.models.layers import EncoderStack, convolve, masked_fill_zero
from vtg.models.layers.max_pool import MaskedMaxPool1d
from vtg.registry import MODELS
from vtg.utils import ConfigError


class TaskExpert(nn.Module):
    """Base class of the experts."""

    slot = 'task_expert'

    def forward(self, x: Tensor, mask: Tensor, position: Tensor) -> Tensor:
        """See the top of this module."""
        raise NotImplementedError


@MODELS.register_module()
class IdentityExpert(TaskExpert):
    """Passes the features on."""

    def forward(self, x: Tensor, mask: Tensor, position: Tensor) -> Tensor:
        """See :class:`TaskExpert`."""
        return x


@MODELS.register_module()
class LinearExpert(TaskExpert):
    """One linear layer.

    Args:
        dim: Token width.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(dim, dim)

    def forward(self, x: Tensor, mask: Tensor, position: Tensor) -> Tensor:
        """See :class:`TaskExpert`."""
        return self.linear(x)


@MODELS.register_module()
class ConvExpert(TaskExpert):
    """Depthwise convolution, LayerNorm over the channels, pointwise convolution; no activation.

    The norm is in the released code and not in the paper.

    Args:
        dim: Token width.
        kernel_size: Odd width of the depthwise convolution, in clips.
        conv_mask: Where the output of the depthwise convolution is kept: ``'valid'``, the real
            clips; ``'padding'``, the padded ones, as in the released code. There the convolution
            is 0 on every real clip, so that the expert gives the same vector for all clips, and
            the released weights were trained that way.
        norm_init: ``'ones'`` starts the norm as usual; ``'xavier'`` draws its scale and shift from
            a uniform distribution, as the released code does by initialising everything alike.
        mask_padding: False lets the convolution read whatever the padded positions hold.
    """

    def __init__(
        self,
        dim: int,
        kernel_size: int = 5,
        conv_mask: Literal['valid', 'padding'] = 'valid',
        norm_init: Literal['ones', 'xavier'] = 'ones',
        mask_padding: bool = True,
    ) -> None:
        super().__init__()
        for name, value, known in (
            ('conv_mask', conv_mask, ('valid', 'padding')),
            ('norm_init', norm_init, ('ones', 'xavier')),
        ):
            if value not in known:
                known_text = ' or '.join(known)
                raise ConfigError(f'ConvExpert: {name} must be {known_text}, not {value!r}.')
        self.conv_mask = conv_mask
        self.mask_padding = mask_padding
        self.depthwise = nn.Conv1d(
            dim, dim, kernel_size, padding=kernel_size // 2, groups=dim, bias=False
        )
        self.norm = nn.LayerNorm(dim)
        self.pointwise = nn.Linear(dim, dim)
        if norm_init == 'xavier':
            bound = (6 / (dim + 1)) ** 0.5
            nn.init.uniform_(self.norm.weight, -bound, bound)
            nn.init.uniform_(self.norm.bias, -bound, bound)

    def forward(self, x: Tensor, mask: Tensor, position: Tensor) -> Tensor:
        """See :class:`TaskExpert`."""
        if self.mask_padding:
            x = masked_fill_zero(x, mask)
        x = convolve(self.depthwise, x)
        x = masked_fill_zero(x, mask if self.conv_mask == 'valid' else ~mask)
        return self.pointwise(self.norm(x))


@MODELS.register_module()
class TransformerExpert(TaskExpert):
    """Encoder layers, then the maximum over neighbouring clips.

    Args:
        dim: Token width.
        num_layers: Number of encoder layers.
        num_heads: Attention heads.
        hidden_dim: Width inside the feed-forward network.
        dropout: Inside the feed-forward network.
        drop_path: Stochastic depth per sample.
        residual_dropout: Dropout of single elements of a branch before its residual.
        pool_size: Odd number of clips of the maximum.
        mask_padding: See :class:`MaskedMaxPool1d`.
        attention_dropout: On attention weights; None takes ``dropout``.
    """

    def __init__(
        self,
        dim: int,
        num_layers: int = 1,
        num_heads: int = 8,
        hidden_dim: int = 1024,
        dropout: float = 0.1,
        drop_path: float = 0.0,
        residual_dropout: float = 0.0,
        pool_size: int = 5,
        mask_padding: bool = True,
        attention_dropout: float | None = None,
    ) -> None:
        super().__init__()
        self.encoder = EncoderStack(
            num_layers, dim, num_heads, hidden_dim,
            dropout=dropout, drop_path=drop_path, residual_dropout=residual_dropout,
            attention_dropout=attention_dropout,
        )  # fmt: skip
        self.pool = MaskedMaxPool1d(pool_size, mask_padding)

    def forward(self, x: Tensor, mask: Tensor, position: Tensor) -> Tensor:
        """See :class:`TaskExpert`."""
        return self.pool(self.encoder(x, mask, position), mask)
