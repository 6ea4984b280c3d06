# SPDX-License-Identifier: Apache-2.0
"""A span decoder whose first layer takes the text in through a gate."""

from torch import Tensor

from vtg.registry import MODELS
from vtg.structures import GroundingState

from .blocks import Activation
from .dropout import residual_noise
from .gated_fusion import GatedTextFusion
from .init import Init, init_transformer
from .span_decoder import Positions, SpanDecoder, SpanDecoderLayer


@MODELS.register_module()
class GatedSpanDecoder(SpanDecoder):
    """Lets the queries of the first layer take in the text as one vector, the maximum of its words,
    between self-attention and cross-attention.

    For queries that are made from the video alone (EaTR, Jang et al., ICCV 2023, section 3.3); see
    :class:`GatedTextFusion`.

    Args:
        dim, num_layers, num_heads, hidden_dim, dropout, drop_path, residual_dropout: See
            :class:`SpanDecoder`.
        activation, positions, init, coder: The same.
        mask_padding: False takes the maximum over padded words too, as the released code does.
    """

    requires = ('projected_text', 'text_mask')

    def __init__(
        self,
        dim: int,
        num_layers: int = 3,
        num_heads: int = 8,
        hidden_dim: int = 1024,
        dropout: float = 0.1,
        drop_path: float = 0.0,
        residual_dropout: float = 0.1,
        activation: Activation = 'relu',
        positions: Positions | None = None,
        init: Init = 'xavier',
        coder: dict | None = None,
        mask_padding: bool = True,
    ) -> None:
        super().__init__(
            dim, num_layers, num_heads, hidden_dim, dropout, drop_path, residual_dropout,
            activation, positions, init, coder,
        )  # fmt: skip
        self.mask_padding = mask_padding
        first = self.layers[0]
        assert isinstance(first, SpanDecoderLayer)
        first.gate = GatedTextFusion(dim, residual_noise(drop_path, residual_dropout), dropout)
        init_transformer(first.gate, init)
        first.gate.start()

    def text_vector(self, state: GroundingState | None) -> Tensor:
        """See :class:`SpanDecoder`."""
        assert state is not None, 'given by the head'
        words = state.projected_text
        if self.mask_padding:
            words = words.masked_fill(~state.text_mask.unsqueeze(-1), float('-inf'))
        return words.amax(dim=1)
