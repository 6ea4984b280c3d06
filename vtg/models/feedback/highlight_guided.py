# SPDX-License-Identifier: Apache-2.0
"""Feedback from highlights to moments."""

from collections.abc import Sequence
from typing import Any, Literal

from torch import Tensor

from vtg.registry import MODELS
from vtg.structures import GroundingState, in_float32
from vtg.utils import ConfigError

from .schedule import ScheduledFeedback


def highlight_mask(saliency: Tensor, mask: Tensor) -> Tensor:
    """Mark the clips that score above the mean of their video.

    Args:
        saliency: ``(B, L)``.
        mask: ``(B, L)`` True where a clip counts.

    Returns:
        ``(B, L)`` of 0 and 1; no gradient.
    """
    saliency = in_float32(saliency.detach())
    mean = (saliency * mask).sum(dim=1, keepdim=True) / mask.sum(dim=1, keepdim=True)
    return ((saliency > mean) & mask).to(saliency.dtype)


@MODELS.register_module()
class HighlightGuidedFeedback(ScheduledFeedback):
    """Doubles the features of highlighted clips, for the moment head.

    Highlightness-guided interaction of TaskWeave (Yang et al., 2024). It runs behind
    the saliency head and before the moment head; the saliency of the first pass stays.

    Args:
        start, stop: See :class:`ScheduledFeedback`.
        target: ``'trunk_input'`` doubles the video tokens before the fusion and runs ``stages``
            again, as the released code; ``'decoder_input'`` doubles the features that the moment
            head reads, as in the paper.
        stages: The slots that run again.
        mean_over: ``'valid'`` clips, or ``'padded'`` ones too, as in the released code.
    """

    requires = ('video', 'memory', 'saliency')
    reads = ('moment_memory',)
    provides = ('moment_memory',)
    takes = ('memory', 'moment_memory', 'pyramid')
    passes_on = ('pyramid',)

    def __init__(
        self,
        start: float = 0.5,
        stop: float = 1.0,
        target: Literal['trunk_input', 'decoder_input'] = 'trunk_input',
        stages: Sequence[str] = ('fusion', 'encoder', 'neck'),
        mean_over: Literal['valid', 'padded'] = 'valid',
    ) -> None:
        super().__init__(start, stop)
        for name, value, known in (
            ('target', target, ('trunk_input', 'decoder_input')),
            ('mean_over', mean_over, ('valid', 'padded')),
        ):
            if value not in known:
                raise ConfigError(
                    f'HighlightGuidedFeedback: {name} must be {" or ".join(known)}, not {value!r}.'
                )
        self.target = target
        if target == 'trunk_input':
            self.runs = tuple(stages)
            self.changes = ('video',)
        self.mean_over = mean_over

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``moment_memory (B, L, D)``; nothing while it is off."""
        if not self.active(state.progress):
            return {}
        mask = state.video_mask
        counted = mask if self.mean_over == 'valid' else mask.new_ones(mask.shape)
        factor = 1 + highlight_mask(state.saliency, counted).unsqueeze(-1)
        if self.target == 'decoder_input':
            return {'moment_memory': state.for_moments * factor}
        # The streams per task are made anew, by the neck or from the memory.
        start = state.update(video=state.video * factor, moment_memory=None, saliency_memory=None)
        again = start.run(self.runs)
        values: dict[str, Any] = {'moment_memory': again.for_moments}
        if again.pyramid is not None:
            values['pyramid'] = again.pyramid
        return values
