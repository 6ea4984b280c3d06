# SPDX-License-Identifier: Apache-2.0
"""Cross-attention from the words to the clips."""

from typing import Any

from vtg.models.base import Refiner
from vtg.models.extras import GuidedText
from vtg.models.layers import CrossAttentionStack
from vtg.registry import MODELS
from vtg.structures import GroundingState


@MODELS.register_module()
class VideoToTextAttention(CrossAttentionStack, Refiner):
    """Every word takes in the clips that concern it, in a few layers over the same clips.

    The counterpart of ``TextToVideoAttention`` (UVCOM, Xiao et al., CVPR 2024, section 3.2). The
    words of the state stay; those that know the video are the extra ``guided_text``. Arguments as
    in :class:`vtg.models.layers.CrossAttentionStack`.
    """

    requires = (*Refiner.requires, 'video_pos', 'text_pos')
    provides = ('guided_text',)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``guided_text``, see :class:`vtg.models.extras.GuidedText`."""
        words = state.text, state.text_pos, state.text_mask
        clips = state.video, state.video_pos, state.video_mask
        return {'guided_text': GuidedText(self.attend(*words, *clips))}
