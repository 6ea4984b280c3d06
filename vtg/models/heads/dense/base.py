# SPDX-License-Identifier: Apache-2.0
"""What dense heads share: one moment per anchor, point or clip, and no matching."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from vtg.models.base import MomentHead
from vtg.models.losses import AssignedPredictions, MomentLosses
from vtg.models.losses.moment import LossConfigs
from vtg.structures import (
    GroundingState,
    GroundingTargets,
    MomentList,
    cxw_to_xx,
    xx_to_cxw,
)
from vtg.utils import ConfigError


class DenseHead(MomentHead):
    """Base class of dense heads.

    A head predicts start and end in a unit of its own, says how many seconds that is, and assigns
    its entries in :meth:`assign`.

    Args:
        dim: Channels.
        losses: Configs of the losses by name, see :class:`vtg.models.losses.MomentLoss`; None takes
            ``default_losses``.

    Attributes:
        default_losses: Those of the paper.
        prefix: Of the names of the losses.
        gives: Optional fields of the assigned predictions that it sets.
        scored: Those of them that enter its scores and so need a loss.
    """

    default_losses: ClassVar[dict[str, dict[str, Any]]] = {}
    prefix: ClassVar[str] = ''
    gives: ClassVar[tuple[str, ...]] = ('clip_scores',)
    scored: ClassVar[tuple[str, ...]] = ()

    def __init__(self, dim: int, losses: LossConfigs | None) -> None:
        super().__init__()
        self.dim = dim
        self.losses = MomentLosses(self.default_losses if losses is None else losses, self.prefix)
        self.losses.check_fit(type(self).__name__, self.gives, scored=self.scored)

    def assign(self, state: GroundingState) -> AssignedPredictions:
        """Return the predictions with what each of them should have been."""
        raise NotImplementedError

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """The configured terms; all see the same assignment."""
        return self.losses(self.assign(state), state) if self.losses else {}

    @staticmethod
    def as_state(
        spans: Tensor, scores: Tensor, unit: Tensor, duration: Tensor, **outputs: Any
    ) -> dict[str, Any]:
        """Turn predictions into state fields.

        Args:
            spans: ``(B, N, 2)`` start and end.
            scores: ``(B, N)``, 0 where nothing is predicted.
            unit: ``(B,)`` seconds per unit of the spans.
            duration: ``(B,)`` seconds.
            outputs: Goes to ``moment_outputs``.
        """
        length = (duration / unit)[:, None, None]
        return {
            'spans': xx_to_cxw(spans / length),
            'span_scores': scores,
            'moment_outputs': outputs,
        }

    @staticmethod
    def in_seconds(
        spans: Tensor, scores: Tensor, mask: Tensor, unit: Tensor, duration: Tensor
    ) -> MomentList:
        """Turn predictions ``(B, N, 2)`` into moments that are cut to the video."""
        seconds = (spans * unit[:, None, None]).clamp(min=0)
        return MomentList(seconds.minimum(duration[:, None, None]), scores, mask)


class PyramidDenseHead(DenseHead):
    """Base class of dense heads with one entry per cell of a pyramid, in clips.

    The assignment depends on the targets alone and runs on the host, where the number of assigned
    entries is known without waiting for the device.

    Args:
        dim, losses: See :class:`DenseHead`.
        unit_seconds: Seconds per clip; None takes the sample's own clip length.
        mask_padding: Padded cells are zero to convolutions, learn nothing and predict nothing.
    """

    requires = (*MomentHead.requires, 'pyramid')
    reads = ()

    def __init__(
        self,
        dim: int,
        losses: LossConfigs | None,
        unit_seconds: float | None,
        mask_padding: bool,
    ) -> None:
        super().__init__(dim, losses)
        self.unit_seconds = unit_seconds
        self.mask_padding = mask_padding

    def check_pyramid(self, strides: tuple[float, ...]) -> None:
        """See :meth:`vtg.models.base.Component.check_pyramid`."""
        for name, loss in self.losses.named_losses():
            if 'clip_scores' in loss.needs and 1 not in strides:
                raise ConfigError(
                    f'{type(self).__name__}: losses.{name} ({type(loss).__name__}) compares cells '
                    f'with clips, but the strides of the neck are {tuple(strides)}; give it a '
                    f'stride of 1 or set losses.{name}=None.'
                )

    def unit(self, duration: Tensor, num_clips: Tensor) -> Tensor:
        """Seconds per clip ``(B,)``."""
        if self.unit_seconds is None:
            return duration / num_clips
        return torch.full_like(duration, self.unit_seconds)

    def moments_in_clips(self, host: GroundingTargets, truncate: bool = False) -> Tensor:
        """Start and end of the moments ``(B, G, 2)``, on the host.

        Args:
            host: See ``targets.host``.
            truncate: Cut both to whole seconds.
        """
        seconds = cxw_to_xx(host.spans) * host.duration[:, None, None]
        if truncate:
            seconds = seconds.trunc()
        return seconds / self.unit(host.duration, host.num_clips)[:, None, None]

    def clip_scores(self, logits: Tensor, state: GroundingState) -> Tensor | None:
        """The logits ``(1, B, L)`` of the level with one cell per clip, out of those ``(B, N)`` of
        all levels; None where no loss reads them."""
        if not self.losses.read('clip_scores'):
            return None
        pyramid = state.pyramid
        sizes = [mask.shape[1] for mask in pyramid.masks]
        level = logits.split(sizes, dim=1)[pyramid.strides.index(1)]
        return level[None, :, : state.video_mask.shape[1]]
