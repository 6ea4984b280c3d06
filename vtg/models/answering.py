# SPDX-License-Identifier: Apache-2.0
"""The probability that a query has a moment, whoever gives it."""

from collections.abc import Iterable

import torch
from torch import Tensor

from vtg.structures import Answering, GroundingState, MomentList

from .base import Component


def existence_of(
    components: Iterable[Component],
    state: GroundingState,
    moments: MomentList | None,
    answering: Answering | None,
) -> Tensor | None:
    """Return the probabilities ``(B,)``: of the mean logit of the components that give one, else
    calibrated from the moments, else None.

    Args:
        components: Of the model.
        state: Behind all stages.
        moments: The reported list; None where the model finds no moments.
        answering: What was chosen for the model, if anything.
    """
    given = [component.existence(state) for component in components]
    logits = [value for value in given if value is not None]
    if logits:
        return torch.stack(logits).mean(dim=0).sigmoid()
    return None if answering is None or moments is None else answering.calibrated(moments)
