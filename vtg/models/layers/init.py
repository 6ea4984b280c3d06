# SPDX-License-Identifier: Apache-2.0
"""Initialisation of whole transformers, as DETR-like code does it."""

from collections.abc import Callable
from typing import Literal

from torch import Tensor, nn

from vtg.utils import ConfigError

Init = Literal['xavier', 'trunc_normal'] | None
MATRIX_INITS: dict[str, Callable[[Tensor], Tensor]] = {
    'xavier': nn.init.xavier_uniform_,
    'trunc_normal': lambda weight: nn.init.trunc_normal_(weight, std=0.02),
}


def init_linears_normal(module: nn.Module) -> None:
    """Draw the weights of all linear layers Xavier-normal and set their biases to 0, those of the
    packed projections of attention included, each projection as a layer of its own."""
    for child in module.modules():
        if isinstance(child, nn.Linear):
            nn.init.xavier_normal_(child.weight)
            if child.bias is not None:
                nn.init.zeros_(child.bias)
        elif isinstance(child, nn.MultiheadAttention):
            for weight in child.in_proj_weight.chunk(3):
                nn.init.xavier_normal_(weight)
            nn.init.zeros_(child.in_proj_bias)


def init_transformer(module: nn.Module, kind: str | None) -> None:
    """Give everything in ``module`` the initialisation of DETR's code.

    Linear layers start as PyTorch makes them, output projections of attention without bias; then
    every parameter with more than one dimension is drawn anew, whatever it was before. Stacked
    layers are no longer identical after that.

    Args:
        module: A stack of transformer layers.
        kind: ``'xavier'`` (uniform; Moment-DETR and all that build on it), ``'trunc_normal'``
            (standard deviation 0.02) or None, which leaves the module as it is.

    Raises:
        ConfigError: ``kind`` is unknown.
    """
    if kind is None:
        return
    if kind not in MATRIX_INITS:
        raise ConfigError(f'init must be one of {", ".join(MATRIX_INITS)} or None; got {kind!r}.')
    for child in module.modules():
        if isinstance(child, nn.Linear):
            child.reset_parameters()
    for child in module.modules():
        output = getattr(child, 'out_proj', None)
        if isinstance(output, nn.Linear):
            nn.init.zeros_(output.bias)
    for parameter in module.parameters():
        if parameter.ndim > 1:
            MATRIX_INITS[kind](parameter)
