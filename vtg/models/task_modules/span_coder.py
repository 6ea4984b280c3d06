# SPDX-License-Identifier: Apache-2.0
"""Spans as offsets to anchors."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from vtg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class AnchorDeltaCoder:
    """Codes a span by the shift and the log-scale that turn an anchor into it.

    The coding of boxes of Girshick et al., "Rich feature hierarchies", 2014, appendix C, in time:
    with ``u = width(anchor) + width_offset``, ``dx = factors[0] * (c - c_anchor) / u`` and
    ``dw = factors[1] * log((w + width_offset) / u)``. Any unit that suits ``width_offset``.

    Args:
        factors: Scales of ``dx`` and ``dw``, the inverse of their expected standard deviations.
        width_offset: Added to every width before coding and taken off after decoding.
        max_log: Decoding clamps the log-scale from above at this value.
        min_log: Decoding clamps the log-scale from below; None does not.
    """

    def __init__(
        self,
        factors: Sequence[float] = (10.0, 5.0),
        width_offset: float = 1.0,
        max_log: float = math.log(62.5),
        min_log: float | None = None,
    ) -> None:
        self.shift_factor, self.scale_factor = factors
        self.width_offset = width_offset
        self.max_log = max_log
        self.min_log = min_log

    def _coded(self, spans: Tensor) -> tuple[Tensor, Tensor]:
        """Centre and coded width of spans ``(..., 2)``."""
        start, end = spans.unbind(-1)
        return 0.5 * (start + end), end - start + self.width_offset

    def decode(self, anchors: Tensor, deltas: Tensor, clamp_length: bool = False) -> Tensor:
        """Return the spans of deltas.

        Args:
            anchors: ``(..., 2)`` start, end, broadcast against ``deltas``.
            deltas: ``(..., 2)`` shift and log-scale.
            clamp_length: Keep lengths at 0 or more; with a ``width_offset`` a small scale would
                otherwise put the end before the start, by up to ``width_offset``.

        Returns:
            ``(..., 2)`` start, end.
        """
        anchor_centre, anchor_width = self._coded(anchors)
        shift, scale = deltas.unbind(-1)
        centre = anchor_centre + shift / self.shift_factor * anchor_width
        log_scale = (scale / self.scale_factor).clamp(min=self.min_log, max=self.max_log)
        width = anchor_width * log_scale.exp() - self.width_offset
        if clamp_length:
            width = width.clamp(min=0)
        return torch.stack((centre - 0.5 * width, centre + 0.5 * width), dim=-1)
