# SPDX-License-Identifier: Apache-2.0
"""Amplification of salient clips."""

from typing import Any

from vtg.models.base import Feedback
from vtg.models.layers import amplify
from vtg.registry import MODELS
from vtg.structures import GroundingState


@MODELS.register_module()
class SaliencyAmplifier(Feedback):
    """Gives the moment head a memory in which salient clips are up to twice as large.

    SG-DETR (arXiv 2410.01615), section 3.4. The saliency head keeps the memory as it was.
    """

    requires = ('memory', 'saliency')
    reads = ('moment_memory',)
    provides = ('moment_memory',)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``moment_memory (B, L, D)``."""
        return {'moment_memory': amplify(state.for_moments, state.saliency)}
