# SPDX-License-Identifier: Apache-2.0
"""The training targets of one batch, padded and masked by the collate function."""

from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class GroundingTargets:
    """What the losses compare with. B samples, G padded moments, L padded clips, P clip pairs.

    Attributes:
        spans: ``(B, G, 2)`` centre and width of the moments, as a fraction of ``state.duration``.
        span_mask: ``(B, G)`` True where a moment is real.
        saliency: ``(B, L)`` saliency label of every clip (QVHighlights: 0 to 12), 0 on padding.
        relevant: ``(B, L)`` True on the clips that belong to a moment.
        pos_clips: ``(B, P)`` clip indices that must score higher than ``neg_clips``.
        neg_clips: ``(B, P)`` clip indices, pair by pair with ``pos_clips``.
        source_id: ``(B,)`` equal for samples cut from the same source video.
        duration: ``(B,)`` seconds that ``spans`` are a fraction of.
        num_clips: ``(B,)`` real clips.
        host: The same targets on the host. Assignments that depend on the targets alone run
            there, so that their sizes are known without waiting for the device.
    """

    spans: Tensor
    span_mask: Tensor
    saliency: Tensor
    relevant: Tensor
    pos_clips: Tensor
    neg_clips: Tensor
    source_id: Tensor
    duration: Tensor
    num_clips: Tensor
    host: 'GroundingTargets | None' = None

    @property
    def on_host(self) -> 'GroundingTargets':
        """``host``, or these targets themselves where they were made without it."""
        return self if self.host is None else self.host

    @property
    def answerable(self) -> Tensor:
        """``(B,)`` True where the query has a moment, or relevant clips where no moment is known.

        The others are compared with nothing that only a matching video has.
        """
        return self.span_mask.any(dim=1) | self.relevant.any(dim=1)

    @classmethod
    def from_batch(cls, batch: dict[str, Any], device: torch.device) -> 'GroundingTargets':
        """Build the targets of a batch that lies on the host and move them to ``device``."""
        values = {
            **batch['targets'],
            'duration': batch['duration'],
            'num_clips': batch['video_mask'].sum(dim=1),
        }
        names = [field.name for field in fields(cls) if field.name != 'host']
        host = cls(**{name: values[name] for name in names})
        moved = {name: values[name].to(device, non_blocking=True) for name in names}
        return cls(**moved, host=host)
