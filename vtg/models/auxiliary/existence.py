# SPDX-License-Identifier: Apache-2.0
"""Whether there is a moment to find at all, learned from queries without one."""

from dataclasses import replace
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vtg.models.base import Auxiliary
from vtg.models.extras import QueryStates
from vtg.models.layers import masked_average
from vtg.registry import MODELS
from vtg.structures import GroundingState, MomentList
from vtg.utils import check_choice

SOURCES = ('memory', 'queries', 'pyramid')
GATES = ('soft', 'zero', 'empty', None)


@MODELS.register_module()
class ExistenceHead(Auxiliary):
    """Tells queries with a moment from those without one, from pooled tokens of the system.

    The adapter of "Generalized Moment Retrieval" (arXiv 2605.02623): the states of the queries
    behind the last decoder layer are pooled per channel, and a perceptron of two layers gives a
    logit. The released code has it for Moment-DETR alone; the other sources are ours, so that it
    fits every system.

    Args:
        dim: Token width.
        source: What is pooled: the ``'queries'`` of a ``QueryHead``, as published; all cells of the
            ``'pyramid'``; or the clips of the ``'memory'``, which every system has.
        pool: ``'max'`` or ``'mean'`` over what is real of it.
        gate: What happens to the moments of a query whose probability is below the threshold:
            ``'soft'`` multiplies their scores with it (released default), ``'zero'`` sets their
            scores to 0, in the order of the queries, ``'empty'`` takes them away; None keeps all as
            they are.
        threshold: From which probability on the gate does nothing.
        weight: Weight of the loss.
    """

    can_do_without: ClassVar[dict[str, str]] = {
        'query_states': "source='memory'",
        'pyramid': "source='memory'",
    }

    def __init__(
        self,
        dim: int,
        source: Literal['memory', 'queries', 'pyramid'] = 'memory',
        pool: Literal['max', 'mean'] = 'max',
        gate: Literal['soft', 'zero', 'empty'] | None = None,
        threshold: float = 0.3,
        weight: float = 1.0,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.dim = dim
        self.source = check_choice(source, SOURCES, f'{name}: source')
        self.pool = check_choice(pool, ('max', 'mean'), f'{name}: pool')
        self.gate = check_choice(gate, GATES, f'{name}: gate')
        self.threshold = threshold
        self.weight = weight
        self.requires = ('query_states' if source == 'queries' else source,)
        self.reads = ('moment_memory',) if source == 'memory' else ()
        self.score = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, 1))

    def tokens(self, state: GroundingState) -> tuple[Tensor, Tensor]:
        """What is pooled ``(B, N, D)`` and which of it is real ``(B, N)``."""
        if self.source == 'queries':
            decoded = state.extras[QueryStates]
            return decoded.states, decoded.mask
        if self.source == 'pyramid':
            return torch.cat(state.pyramid.features, 1), torch.cat(state.pyramid.masks, 1)
        return state.for_moments, state.video_mask

    def pooled(self, state: GroundingState) -> Tensor:
        """One vector ``(B, D)`` per sample."""
        tokens, mask = self.tokens(state)
        if self.pool == 'mean':
            return masked_average(tokens, mask)
        # The gradient of a maximum over one dimension goes to one entry, also where several tie.
        return tokens.masked_fill(~mask.unsqueeze(-1), -torch.inf).max(dim=1).values

    def existence(self, state: GroundingState) -> Tensor:
        """See :meth:`vtg.models.base.Component.existence`."""
        return self.score(self.pooled(state)).squeeze(-1)

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """``loss_existence``: cross-entropy with "the query has a moment", mean over the batch."""
        logits = self.existence(state)
        wanted = state.targets.answerable.to(logits.dtype)
        loss = F.binary_cross_entropy_with_logits(logits, wanted)
        return {'loss_existence': self.weight * loss}

    def revise(self, state: GroundingState, lists: dict[str, MomentList]) -> dict[str, MomentList]:
        """Apply the gate to every list."""
        if self.gate is None:
            return lists
        probability = self.existence(state).sigmoid().unsqueeze(-1)
        kept = probability >= self.threshold
        return {name: self._gated(found, probability, kept, state) for name, found in lists.items()}

    def _gated(
        self, found: MomentList, probability: Tensor, kept: Tensor, state: GroundingState
    ) -> MomentList:
        if self.gate == 'empty':
            return replace(found, mask=found.mask & kept)
        if self.gate == 'soft':
            factor = torch.where(kept, probability.new_ones(()), probability)
            return replace(found, scores=found.scores * factor)
        scores = found.scores * kept
        order = _slot_order(found, state)
        if order is None:
            return replace(found, scores=scores)
        spans = found.spans.gather(1, order.unsqueeze(-1).expand(-1, -1, 2))
        spans = torch.where(kept.unsqueeze(-1), found.spans, spans)
        mask = torch.where(kept, found.mask, found.mask.gather(1, order))
        return MomentList(spans, scores, mask)


def _slot_order(found: MomentList, state: GroundingState) -> Tensor | None:
    """Where in a list ``(B, K)`` that was sorted by score every query of the head stands; None
    where it does not hold all of them. Equal scores, here 0, leave queries in their order."""
    if state.span_scores.shape != found.scores.shape:
        return None
    order = state.span_scores.argsort(dim=1, descending=True, stable=True)
    return order.argsort(dim=1)
