# SPDX-License-Identifier: Apache-2.0
"""Summary of the best predicted moment by a recurrent unit."""

from typing import Literal

import torch
from torch import Tensor, nn

from vtg.structures import cxw_to_xx, in_float32
from vtg.utils import ConfigError

from .blocks import masked_fill_zero
from .recurrent import GRU


class MomentSummary(nn.Module):
    """Reads the clips of the best moment with a GRU and compares the result with every clip.

    The moment-to-highlight part of TR-DETR (Sun et al., 2024, section 3.4) and VideoLights. The GRU
    reads as many rows as the video has clips: those of the moment, then zeros. Which clips those
    are has no gradient.

    Args:
        dim: Token width.
        negative_start: Of a moment that starts before the video: ``'wrap'``, the published rule,
            counts its start from the end, which mostly leaves no clip at all; ``'clamp'`` lets it
            start with the video.
        length: ``'own'`` measures the moment in clips of its own video; ``'padded'`` takes all
            videos to be as long as the longest of the batch, as the released code does.
    """

    def __init__(
        self,
        dim: int,
        negative_start: Literal['wrap', 'clamp'] = 'wrap',
        length: Literal['own', 'padded'] = 'own',
    ) -> None:
        super().__init__()
        for name, value, known in (
            ('negative_start', negative_start, ('wrap', 'clamp')),
            ('length', length, ('own', 'padded')),
        ):
            if value not in known:
                raise ConfigError(f'{name} must be {" or ".join(known)}, got {value!r}.')
        self.gru = GRU(dim, dim)
        self.negative_start = negative_start
        self.length = length

    def forward(self, video: Tensor, mask: Tensor, spans: Tensor, scores: Tensor) -> Tensor:
        """Return the product of every clip with the summary, ``(B, L)``; see :meth:`rows`."""
        return torch.einsum('bld,bd->bl', video, self.summarize(video, mask, spans, scores))

    def summarize(self, video: Tensor, mask: Tensor, spans: Tensor, scores: Tensor) -> Tensor:
        """Return the summary of the best moment, ``(B, D)``; see :meth:`rows`."""
        rows, count = self.rows(video, mask, spans, scores)
        # Behind the last row nothing matters to the state at that row.
        states, _ = self.gru(rows)
        last = (count - 1)[:, None, None].expand(-1, 1, states.shape[-1])
        return states.gather(1, last).squeeze(1)

    def rows(
        self, video: Tensor, mask: Tensor, spans: Tensor, scores: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return what the GRU reads, ``(B, L, D)``, and how many rows of it, ``(B,)``.

        The clips from the one in which the best moment starts to the one in which it ends, both
        included, and zeros behind them.

        Args:
            video: ``(B, L, D)`` clips.
            mask: ``(B, L)`` True = real.
            spans: ``(B, Q, 2)`` centre and width of the predicted moments, as a fraction of the
                video.
            scores: ``(B, Q)``; the highest picks the moment.
        """
        length = mask.shape[1]
        count = mask.sum(dim=1, keepdim=True)
        if self.length == 'padded':
            count = torch.full_like(count, length)
        best = scores.argmax(dim=1)[:, None, None].expand(-1, -1, 2)
        span = in_float32(spans.detach()).gather(1, best).squeeze(1)
        start, end = (cxw_to_xx(span) * count).floor().long().split(1, dim=1)
        if self.negative_start == 'wrap':
            start = torch.where(start < 0, start + count, start)
        source = start.clamp(min=0) + torch.arange(length, device=video.device)  # (B, L)
        taken = (source <= end) & (source < count)
        index = source.clamp(max=length - 1).unsqueeze(-1).expand(-1, -1, video.shape[-1])
        return masked_fill_zero(video.gather(1, index), taken), count.squeeze(1)
