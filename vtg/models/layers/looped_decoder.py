# SPDX-License-Identifier: Apache-2.0
"""A decoder that runs several times."""

from typing import Any, ClassVar

from torch import Tensor, nn

from vtg.registry import MODELS
from vtg.structures import GroundingState
from vtg.utils import ConfigError

from .span_decoder import DecoderOutputs


@MODELS.register_module()
class LoopedDecoder(nn.Module):
    """Runs a decoder again from the contents that it ended with (LD-DETR, Zhao et al., arXiv
    2501.10787, section 3.5).

    Memory and initial references are the same in every pass, and so are the weights; the result is
    that of the last pass. The gradient flows through the contents of all of them.

    Args:
        dim: Token width.
        decoder: Config of the decoder; its queries have contents of the width of its states.
        loops: Passes, at least 1. The released code of the paper returns from inside its loop, so
            that it makes one.
    """

    slot = 'decoder'
    contents = 1
    shares_refinement = False
    parts: ClassVar[dict[str, Any]] = {'decoder': {'type': 'SpanDecoder'}}

    def __init__(self, dim: int, decoder: dict, loops: int = 3) -> None:
        super().__init__()
        self.dim = dim
        self.loops = loops
        self.decoder = MODELS.build(decoder)
        if self.decoder.shares_refinement:
            raise ConfigError(
                'LoopedDecoder: the decoder takes its refinement from the head, which does not '
                'reach it inside the loop; set decoder.positions.shared_head=False.'
            )
        if self.decoder.contents != 1:
            raise ConfigError(
                f'LoopedDecoder: the queries of {type(self.decoder).__name__} have '
                f'{self.decoder.contents} contents, but its states are one; loop SpanDecoder.'
            )
        self.predicts_spans = self.decoder.predicts_spans
        self.coder = self.decoder.coder
        self.refines_spans = self.decoder.refines_spans
        self.requires: tuple[str, ...] = self.decoder.requires

    def forward(
        self,
        content: Tensor,
        reference: Tensor,
        memory: Tensor,
        memory_mask: Tensor,
        memory_position: Tensor,
        blocked: Tensor | None = None,
        state: GroundingState | None = None,
    ) -> DecoderOutputs:
        """Arguments and result as those of the decoder."""
        place = (reference, memory, memory_mask, memory_position)
        outputs = self.decoder(content, *place, blocked=blocked, state=state)
        for _ in range(self.loops - 1):
            outputs = self.decoder(outputs.normed[-1], *place, blocked=blocked, state=state)
        return outputs
