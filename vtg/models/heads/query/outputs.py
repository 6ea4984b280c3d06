# SPDX-License-Identifier: Apache-2.0
"""What a query head predicts, and the moments that its queries are assigned to."""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from vtg.models.losses import AssignedPredictions
from vtg.models.task_modules import matched_moments

from .sources import QueryProposals


@dataclass(frozen=True)
class QueryPredictions:
    """Predictions of Q queries by S stages (decoder layers, or the query source).

    Attributes:
        logits: ``(S, B, Q, C)`` class logits.
        spans: ``(S, B, Q, 2)`` centre, width normalised.
        quality: ``(S, B, Q)`` logits of the expected overlap, or None.
        references: ``(S, B, Q, 2)`` the span each prediction corrects, or None.
    """

    logits: Tensor
    spans: Tensor
    quality: Tensor | None = None
    references: Tensor | None = None

    def queries(self, start: int, stop: int) -> 'QueryPredictions':
        """Return the queries ``start`` to ``stop``."""

        def cut(x: Tensor | None) -> Tensor | None:
            return None if x is None else x[:, :, start:stop]

        return QueryPredictions(
            self.logits[:, :, start:stop],
            self.spans[:, :, start:stop],
            cut(self.quality),
            cut(self.references),
        )

    def last(self) -> 'QueryPredictions':
        """Return the predictions of the last stage, ``(B, Q, ·)``."""

        def cut(x: Tensor | None) -> Tensor | None:
            return None if x is None else x[-1]

        return QueryPredictions(
            self.logits[-1], self.spans[-1], cut(self.quality), cut(self.references)
        )

    def after(self, proposals: QueryProposals) -> 'QueryPredictions':
        """Put proposals that are predictions themselves in front, as one more stage."""
        assert proposals.logits is not None and proposals.spans is not None
        quality = self.quality
        if quality is not None and proposals.quality is not None:
            quality = torch.cat((proposals.quality.unsqueeze(0), quality))
        return QueryPredictions(
            torch.cat((proposals.logits.unsqueeze(0), self.logits)),
            torch.cat((proposals.spans.unsqueeze(0), self.spans)),
            quality,
        )


@dataclass(frozen=True)
class ExtraTargets:
    """Targets of queries that were made from moments or anchors.

    Attributes:
        valid: ``(B, Q)`` True where a query is in use.
        positive: ``(B, Q)`` True where it has a moment to find.
        spans: ``(B, Q, 2)`` that moment, centre and width normalised.
    """

    valid: Tensor
    positive: Tensor
    spans: Tensor


@dataclass(frozen=True)
class ExtraQueries:
    """Queries that exist in training only, in front of the others.

    Attributes:
        content: ``(B, T, C)``.
        reference: ``(B, T, R)``, see :class:`QueryProposals`.
        targets: What they should find.
        visible: ``(B, T)`` True where others of the group may see the query.
        group: ``(T,)`` groups that must not see each other; None is one group.
    """

    content: Tensor
    reference: Tensor
    targets: ExtraTargets
    visible: Tensor
    group: Tensor | None = None


@dataclass(frozen=True)
class QueryOutputs:
    """Everything a query head predicts for a batch.

    Attributes:
        proposals: The queries.
        predictions: Of the decoder layers, ``(S, B, Q, ·)``.
        normed: ``(S, B, Q, D)`` states that the predictions were made from.
        extra: Predictions and targets of extra queries by kind.
    """

    proposals: QueryProposals
    predictions: QueryPredictions
    normed: Tensor
    extra: dict[str, tuple[QueryPredictions, ExtraQueries]] = field(default_factory=dict)


def assign_matched(
    predictions: QueryPredictions, moments: Tensor, query_index: Tensor, mask: Tensor
) -> AssignedPredictions:
    """Give every matched query its moment.

    Args:
        predictions: Of S stages.
        moments: ``(B, G, 2)`` centre and width normalised.
        query_index: ``(S, B, G)`` matched query of every moment, -1 for none.
        mask: ``(B, Q)`` True where a query may be a prediction.
    """
    spans = predictions.spans
    owner, positive = matched_moments(query_index, spans.shape[2])
    wanted = torch.zeros_like(spans)
    if query_index.shape[-1]:
        moments = moments.to(spans.dtype).expand(len(spans), -1, -1, -1)
        wanted = moments.gather(2, owner.unsqueeze(-1).expand(-1, -1, -1, 2))
    return AssignedPredictions(
        logits=predictions.logits,
        mask=mask.unsqueeze(0),
        positive=positive,
        spans=spans,
        wanted=wanted,
        quality=predictions.quality,
        references=predictions.references,
    )


def assign_extra(predictions: QueryPredictions, targets: ExtraTargets) -> AssignedPredictions:
    """Give extra queries the moments that they were made for; they have spans and logits alone."""
    positive = targets.positive & targets.valid
    return AssignedPredictions(
        logits=predictions.logits,
        mask=targets.valid.unsqueeze(0),
        positive=positive.expand(predictions.spans.shape[:-1]),
        spans=predictions.spans,
        wanted=targets.spans.to(predictions.spans.dtype).expand_as(predictions.spans),
    )


def with_states(assigned: AssignedPredictions, normed: Tensor) -> AssignedPredictions:
    """Add the decoder states ``(S, B, Q, D)`` that the predictions were made from."""
    return replace(assigned, states=normed)
