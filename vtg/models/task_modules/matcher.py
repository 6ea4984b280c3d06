# SPDX-License-Identifier: Apache-2.0
"""One-to-one matching of predictions and moments."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from vtg.registry import TASK_UTILS
from vtg.utils import ConfigError, VtgError

from .match_costs import MatchInputs

# Cost of a pair that must not be matched; other costs are far below.
FORBIDDEN = 1e9


@TASK_UTILS.register_module()
class HungarianMatcher:
    """Matches every moment with a query of its own at the least total cost (DETR, 2020).

    The costs of all layers and samples of a step go to the host in one copy.

    Args:
        costs: Cost terms by name, e.g. ``dict(span=dict(type='L1SpanCost', weight=10.0))``; None
            removes a term that a base config has.
    """

    def __init__(self, costs: dict[str, dict[str, Any] | None]) -> None:
        self.costs = {name: TASK_UTILS.build(cfg) for name, cfg in costs.items() if cfg is not None}
        if not self.costs:
            raise ConfigError('HungarianMatcher needs at least one term in costs.')

    @torch.no_grad()
    def cost(self, inputs: MatchInputs, gts: Tensor, gt_mask: Tensor) -> Tensor:
        """Return the cost ``(..., B, G, Q)`` of all pairs: 0 where a mask excludes the moment or
        the query, ``FORBIDDEN`` where only the pair is excluded."""
        total = sum(term(inputs, gts) for term in self.costs.values())
        if total.shape[-2] != gts.shape[-2]:  # no term looks at the moments
            total = total.expand(*total.shape[:-2], gts.shape[-2], -1)
        pairs = gt_mask[..., None]
        if inputs.mask is not None:
            pairs = pairs & inputs.mask[..., None, :]
        if inputs.pairs is not None:
            total = total.masked_fill(~inputs.pairs, FORBIDDEN)
        return total.masked_fill(~pairs, 0)

    @torch.no_grad()
    def __call__(self, inputs: MatchInputs, gts: Tensor, gt_mask: Tensor) -> Tensor:
        """Match a batch.

        Args:
            inputs: Predictions; leading axes before the batch (layers) are matched separately.
            gts: ``(B, G, 2)`` centre, width normalised.
            gt_mask: ``(B, G)`` True where a moment is real.

        Returns:
            ``(..., B, G)`` int64 index of the query matched with each moment, -1 where the moment
            is padding or, with more moments than usable queries, left over.

        Raises:
            VtgError: A prediction or a moment is NaN or infinite.
        """
        cost = self.cost(inputs, gts, gt_mask)
        # The masks travel as one more row and column so that the device is waited for once.
        packed = F.pad(cost, (0, 1, 0, 1), value=1.0)
        packed[..., :-1, -1] = gt_mask.to(cost.dtype)
        if inputs.mask is not None:
            packed[..., -1, :-1] = inputs.mask.to(cost.dtype)
        if torch.compiler.is_compiling():
            return torch.ops.vtg.match(packed)
        try:
            return match_on_host(packed)
        except VtgError:
            raise VtgError(_not_finite(inputs, gts)) from None


def match_on_host(packed: Tensor) -> Tensor:
    """Match every problem of a batch at the least cost.

    Args:
        packed: ``(..., G + 1, Q + 1)`` costs; the last column and row are above 0 where a moment
            and a query are real.

    Returns:
        ``(..., G)`` int64, see :class:`HungarianMatcher`.

    Raises:
        VtgError: A cost is NaN or infinite.
    """
    host = packed.detach().flatten(0, -3).cpu().numpy()
    if not np.isfinite(host).all():
        raise VtgError(
            'matching failed because a cost is NaN or infinite; training has diverged or the input '
            'is broken: lower the learning rate or check the features.'
        )
    columns = assign_rows(host[:, :-1, :-1], host[:, :-1, -1] > 0, host[:, -1, :-1] > 0)
    index = torch.from_numpy(columns.reshape(*packed.shape[:-2], -1))
    return index.to(packed.device, non_blocking=True)


# One opaque operation for torch.compile, which sees no further than its shape.
torch.library.custom_op('vtg::match', match_on_host, mutates_args=())
torch.library.register_fake(
    'vtg::match', lambda packed: packed.new_empty(_matched_shape(packed), dtype=torch.int64)
)


def _matched_shape(packed: Tensor) -> list[int]:
    return [*packed.shape[:-2], packed.shape[-2] - 1]


def assign_rows(cost: np.ndarray, row_mask: np.ndarray, column_mask: np.ndarray) -> np.ndarray:
    """Give every real row of every problem a column of its own at the least total cost.

    Args:
        cost: ``(P, R, C)`` finite costs of P problems. Values that a mask excludes are ignored;
            pairs of cost ``FORBIDDEN`` are not made.
        row_mask: ``(P, R)`` True where a row is real.
        column_mask: ``(P, C)`` True where a column may be taken.

    Returns:
        ``(P, R)`` int64 column of every row, -1 where the row is masked or, with more rows than
        columns that it may take, left over.
    """
    index = np.full(row_mask.shape, -1, dtype=np.int64)
    for matrix, real, usable, chosen in zip(cost, row_mask, column_mask, index):
        rows, columns = np.flatnonzero(real), np.flatnonzero(usable)
        usable_cost = matrix[rows[:, None], columns]
        i, j = linear_sum_assignment(usable_cost)
        chosen[rows[i]] = np.where(usable_cost[i, j] < FORBIDDEN, columns[j], -1)
    return index


def _not_finite(inputs: MatchInputs, gts: Tensor) -> str:
    """Say what makes the matching cost NaN or infinite."""
    names = inputs.not_finite()
    if not names:
        names = 'the moments of the batch' if not gts.isfinite().all() else 'a term of the cost'
    return (
        f'matching failed because {names} is NaN or infinite; training has diverged or the input '
        'is broken: lower the learning rate or check the features.'
    )


def matched_moments(query_index: Tensor, num_queries: int) -> tuple[Tensor, Tensor]:
    """Return which moment every query is matched with, from which query every moment is.

    Args:
        query_index: ``(..., G)`` of the matcher, -1 for none.
        num_queries: Q.

    Returns:
        ``(..., Q)`` int64 index of the moment, 0 where there is none, and ``(..., Q)`` True where
        there is one.
    """
    rank = torch.arange(1, query_index.shape[-1] + 1, device=query_index.device)
    hit = query_index.new_zeros(*query_index.shape[:-1], num_queries)
    hit.scatter_add_(-1, query_index.clamp(min=0), rank * (query_index >= 0))
    return (hit - 1).clamp(min=0), hit > 0
