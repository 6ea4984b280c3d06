# SPDX-License-Identifier: Apache-2.0
"""When a model says that no moment matches a query."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .state import MomentList


@dataclass(frozen=True)
class Answering:
    """What was chosen on a split for a trained model; its checkpoint carries it in ``meta``.

    A query is answered if the probability that it has a moment is above the threshold. Where no
    component of the model gives that probability, it is ``sigmoid(slope * s + intercept)`` of the
    best score s of a moment (Platt, 1999), and 0 without moments.

    Attributes:
        threshold: From 0 to 1; exactly this is not above.
        slope, intercept: Of the calibration; None where a component gives the probability.
        chosen_by: The value that the threshold maximises, see
            :func:`vtg.evaluation.functional.choose_threshold`.
        split: Where.
    """

    threshold: float
    slope: float | None = None
    intercept: float | None = None
    chosen_by: str = ''
    split: str = ''

    def calibrated(self, moments: MomentList) -> Tensor | None:
        """Probabilities ``(B,)`` of the best scores; None without a calibration."""
        if self.slope is None or self.intercept is None:
            return None
        if not moments.scores.shape[1]:
            return moments.scores.new_zeros(len(moments.scores))
        best = moments.scores.masked_fill(~moments.mask, -torch.inf).amax(dim=1)
        found = moments.mask.any(dim=1)
        logits = self.slope * torch.where(found, best, 0) + self.intercept
        return torch.where(found, logits.sigmoid(), 0)
