# SPDX-License-Identifier: Apache-2.0
"""Events that features alone tell apart, without labels."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vtg.models.layers import masked_fill_zero, unit
from vtg.registry import TASK_UTILS

# Above every score: ends of a video are always boundaries.
_END = 100.0


@TASK_UTILS.register_module()
class PseudoEvents:
    """Cuts every video where its features change most.

    A clip's score is how much the similarity of clips on the same side of it exceeds that of clips
    across it, over two clips on either side (EaTR, Jang et al., ICCV 2023, section 3.2, after Kang
    et al., 2022). Clips that score at least as much as both neighbours and as the mean are
    boundaries, and so are the first and the last clip. Events lie between neighbouring boundaries;
    as in the released code a boundary lies at the index of its clip, so that they cover all but the
    extent of the last clip.

    Args:
        mask_padding: False compares with the mean over padding too and finds boundaries in it, as
            the released code does.
        spurious: Add what the released code adds in a batch of odd size B: to sample ``(B - 1) /
            2`` an event of negative width that belongs to the last sample.
    """

    def __init__(self, mask_padding: bool = True, spurious: bool = False) -> None:
        self.mask_padding = mask_padding
        self.spurious = spurious

    def scores(self, features: Tensor, mask: Tensor) -> Tensor:
        """Boundary scores ``(B, L)`` of ``features (B, L, C)``, before the ends are boundaries."""
        clips = masked_fill_zero(unit(features.detach(), eps=1e-8), mask)
        padded = F.pad(clips, (0, 0, 2, 2))
        count = clips.shape[1]
        before, after = (
            padded[:, start : start + count] + padded[:, start + 1 : start + 1 + count]
            for start in (0, 3)
        )
        # <b, b> + <a, a> - 2 <b, a> of the sums over either side are the sixteen similarities.
        return (before - after).square().sum(dim=-1)

    @torch.no_grad()
    def __call__(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Find the events of a batch.

        Args:
            features: ``(B, L, C)``.
            mask: ``(B, L)`` True = real; real clips come first.

        Returns:
            Spans ``(B, L - 1, 2)``, centre and width as a fraction of the video, in their order in
            time, and where there is one ``(B, L - 1)``; a column more with ``spurious``.
        """
        scores = self.scores(features, mask)
        size, length = mask.shape
        count = mask.sum(dim=1, keepdim=True)
        index = torch.arange(length, device=mask.device).expand(size, -1)
        if self.mask_padding:
            mean = (scores * mask).sum(dim=1, keepdim=True) / count
        else:
            mean = scores.mean(dim=1, keepdim=True)
        scores = scores.masked_fill((index == 0) | (index == count - 1), _END)
        highest = torch.maximum(scores.roll(1, dims=1), scores.roll(-1, dims=1))
        boundary = (scores >= highest) & (scores >= mean)
        if self.mask_padding:
            boundary = boundary & mask
        place = index.masked_fill(~boundary, length).sort(dim=1).values
        start, end = place[:, :-1], place[:, 1:]
        spans = torch.stack(((start + end) / 2, (end - start).to(scores.dtype)), dim=-1)
        spans, real = spans / count.unsqueeze(-1), end < length
        return self._with_spurious(spans, real, place, count) if self.spurious else (spans, real)

    @staticmethod
    def _with_spurious(
        spans: Tensor, real: Tensor, place: Tensor, count: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Put the spurious event first in its sample."""
        size, length = place.shape
        last = place.masked_fill(place == length, -1)[-1].amax()
        first = torch.stack((last / 2, -last.to(spans.dtype))) / count.unsqueeze(-1)
        sample = torch.arange(size, device=real.device) == (size - 1) / 2
        spans = torch.cat((first, spans), dim=1)
        real = torch.cat((sample.unsqueeze(1), real), dim=1)
        order = real.logical_not().to(torch.uint8).argsort(dim=1, stable=True)
        return spans.gather(1, order.unsqueeze(-1).expand(-1, -1, 2)), real.gather(1, order)
