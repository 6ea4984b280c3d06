# SPDX-License-Identifier: Apache-2.0
"""Alignment of clips, videos and texts in the common space of the projections."""

from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from vtg.models.base import Auxiliary
from vtg.models.layers import cosine, masked_average, unit
from vtg.models.losses import SaliencyLosses, masked_mean
from vtg.registry import MODELS
from vtg.structures import GroundingState
from vtg.utils import ConfigError


class AlignmentBranch(Auxiliary):
    """Base class of alignments that need means over words or clips.

    Args:
        average_over: ``'valid'`` tokens, or ``'padded'`` ones too, as in the released code.
    """

    def __init__(self, average_over: Literal['valid', 'padded'] = 'valid') -> None:
        super().__init__()
        if average_over not in ('valid', 'padded'):
            raise ConfigError(
                f'{type(self).__name__}: average_over must be valid or padded, got '
                f'{average_over!r}.'
            )
        self.average_over = average_over

    def mean(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Mean ``(B, D)`` of ``tokens (B, ·, D)``."""
        return tokens.mean(dim=1) if self.average_over == 'padded' else masked_average(tokens, mask)


@MODELS.register_module()
class ClipTextSaliency(AlignmentBranch):
    """Cosine of every refined clip with the mean word, compared with the labels.

    The video-text alignment of VideoLights (Paul et al., arXiv 2412.01558, section III-B).

    Args:
        losses: Saliency losses by name, e.g. ``SaliencyCosineLoss``.
        average_over: See :class:`AlignmentBranch`.
    """

    requires = ('video', 'text')
    parts: ClassVar[dict[str, Any]] = {'losses': {'cosine': {'type': 'SaliencyCosineLoss'}}}

    def __init__(
        self, losses: dict[str, dict | None], average_over: Literal['valid', 'padded'] = 'valid'
    ) -> None:
        super().__init__(average_over)
        self.losses = SaliencyLosses(losses, 'clip_text')

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """Every configured term on these scores."""
        text = self.mean(state.text, state.text_mask).unsqueeze(1)
        return self.losses(cosine(text, state.video), state)


@MODELS.register_module()
class LocalAlignment(AlignmentBranch):
    """Projected clips of a moment must point to the mean word, the others away from it.

    Local regularisation of TR-DETR (Sun et al., 2024, section 3.1): binary cross-entropy of the
    cosine over a temperature with "the clip is relevant". The mean is over unit words.

    Args:
        temperature: Divisor of the cosine.
        weight: Factor of the loss.
        average_over: ``'padded'`` also averages the loss over padded clips, which each add ln 2.
    """

    requires = ('projected_video', 'projected_text')

    def __init__(
        self,
        temperature: float = 0.07,
        weight: float = 1.0,
        average_over: Literal['valid', 'padded'] = 'valid',
    ) -> None:
        super().__init__(average_over)
        self.temperature = temperature
        self.weight = weight

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """``loss_local_alignment``, a mean over the clips of the batch."""
        mask = state.video_mask
        words = masked_average(unit(state.projected_text), state.text_mask)
        clips = unit(state.projected_video)
        logits = torch.einsum('bld,bd->bl', clips, words) / self.temperature * mask
        target = (state.targets.relevant & mask).to(logits.dtype)
        loss = F.binary_cross_entropy_with_logits(logits, target, reduction='none')
        mean = loss.mean() if self.average_over == 'padded' else masked_mean(loss, mask)
        return {'loss_local_alignment': self.weight * mean}


@MODELS.register_module()
class GlobalAlignment(AlignmentBranch):
    """The mean clip of a video must be closer to its own mean word than to those of the batch, and
    the other way round.

    Global regularisation of TR-DETR (Sun et al., 2024, section 3.1). Samples of the same video
    count as negatives, as published; a query without a moment in its video is one for the others.

    Args:
        temperature: Divisor of the cosine.
        weight: Factor of the loss.
        average_over: See :class:`AlignmentBranch`.
    """

    requires = ('projected_video', 'projected_text')

    def __init__(
        self,
        temperature: float = 0.07,
        weight: float = 1.0,
        average_over: Literal['valid', 'padded'] = 'valid',
    ) -> None:
        super().__init__(average_over)
        self.temperature = temperature
        self.weight = weight

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """``loss_global_alignment``, the mean of both directions over all that match."""
        video = unit(self.mean(state.projected_video, state.video_mask))
        text = unit(self.mean(state.projected_text, state.text_mask))
        logits = text @ video.T / self.temperature
        itself = torch.arange(len(logits), device=logits.device)
        rows, columns = (F.cross_entropy(x, itself, reduction='none') for x in (logits, logits.T))
        mean = masked_mean(rows + columns, state.targets.answerable)
        return {'loss_global_alignment': self.weight * mean / 2}
