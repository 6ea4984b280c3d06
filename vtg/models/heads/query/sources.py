# SPDX-License-Identifier: Apache-2.0
"""Where the decoder's queries come from.

A source gives contents of any width, which the head brings to that of its decoder, and references
of ``reference_dim`` numbers, which mean what the decoder's coder says. One without references gives
positions instead.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from vtg.models.layers import MLP, inverse_sigmoid, xavier_linear
from vtg.registry import MODELS
from vtg.structures import FeaturePyramid, GroundingState, GroundingTargets
from vtg.utils import ConfigError


@dataclass(frozen=True)
class QueryProposals:
    """Queries for the decoder and, where they are predictions themselves, those predictions.

    Attributes:
        content: ``(B, Q, C)`` of the width of the source.
        reference: ``(B, Q, R)`` in [0, 1], see
            :class:`vtg.models.task_modules.ReferenceCoder`; None for learned slots.
        mask: ``(B, Q)`` True where a query stands for something real.
        logits: ``(B, Q, 1)`` class logits, or None.
        quality: ``(B, Q)`` quality logits, or None.
        spans: ``(B, Q, 2)`` with gradient, or None.
        position: ``(B, Q, D)`` learned position of a query without reference, or None.
        events: ``(B, Q, 2)`` spans of events whatever the text, centre and width, or None.
    """

    content: Tensor
    reference: Tensor | None
    mask: Tensor
    logits: Tensor | None = None
    quality: Tensor | None = None
    spans: Tensor | None = None
    position: Tensor | None = None
    events: Tensor | None = None

    def extended(self, content: Tensor, reference: Tensor, mask: Tensor) -> 'QueryProposals':
        """Return queries with others in front of them."""
        assert self.reference is not None, 'learned slots have no references to extend'
        return replace(
            self,
            content=torch.cat((content, self.content), dim=1),
            reference=torch.cat((reference, self.reference), dim=1),
            mask=torch.cat((mask, self.mask), dim=1),
        )


class QuerySource(nn.Module):
    """Base class of what gives the decoder its queries.

    Attributes:
        requires: State fields that must be set.
        reads: State fields taken into account where they are set.
        supervised: Whether the proposals are predictions with losses of their own.
        gives_spans: Whether the queries have references that a decoder can refine.
        dim: Width of the contents.
        reference_dim: Numbers per reference.
    """

    slot = 'query_source'
    requires: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    supervised = False
    gives_spans = True
    dim: int
    reference_dim = 2

    def check_pyramid(self, strides: tuple[float, ...]) -> None:
        """See :meth:`vtg.models.base.Component.check_pyramid`."""

    def forward(self, state: GroundingState) -> QueryProposals:
        """Return Q queries for every sample."""
        raise NotImplementedError

    def loss(self, proposals: QueryProposals, state: GroundingState) -> dict[str, Tensor]:
        """Return weighted losses of the source itself by name, beside those of the head."""
        return {}

    def pairs(self, targets: GroundingTargets, num_queries: int) -> Tensor | None:
        """Return which moment may be matched with which query ``(B, G, Q)``; None for any."""
        return None


@MODELS.register_module()
class LearnedQueries(QuerySource):
    """Content vectors and reference spans learned as parameters, the same for every sample.

    Args:
        dim: Token width.
        num_queries: Number of queries.
        content_std: Standard deviation of the initial content; None starts and stays at zero.
        reference_dim: Numbers per reference, as the coder of the decoder has them.
    """

    def __init__(
        self,
        dim: int,
        num_queries: int = 25,
        content_std: float | None = 0.01,
        reference_dim: int = 2,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.reference_dim = reference_dim
        self.num_queries = num_queries
        self.reference_logits = nn.Parameter(torch.randn(num_queries, reference_dim))
        self.content: nn.Parameter | None = None
        if content_std is not None:
            self.content = nn.Parameter(torch.randn(num_queries, dim) * content_std)

    def forward(self, state: GroundingState) -> QueryProposals:
        """See :class:`QuerySource`."""
        batch = state.memory.shape[0]
        content: Tensor | None = self.content
        if content is None:
            content = state.memory.new_zeros(self.num_queries, self.dim)
        mask = state.video_mask.new_ones(batch, self.num_queries)
        return QueryProposals(
            content.expand(batch, -1, -1),
            self.reference_logits.sigmoid().expand(batch, -1, -1),
            mask,
        )


@MODELS.register_module()
class LearnedPoints(QuerySource):
    """Learned points with their distances from start and end, and several contents per query
    (BAM-DETR, Lee and Byun, 2024).

    A moment begins within the video: the distances are cut to it, while the gradient passes as if
    they were not.

    Args:
        dim: Token width.
        num_queries: Number of queries.
        contents: Contents per query, side by side, as the decoder takes them.
    """

    reference_dim = 3

    def __init__(self, dim: int, num_queries: int = 10, contents: int = 3) -> None:
        super().__init__()
        self.dim = contents * dim
        self.num_queries = num_queries
        self.reference_logits = nn.Parameter(torch.randn(num_queries, 3))
        self.content = nn.Parameter(torch.randn(num_queries, self.dim))

    def bounded(self) -> Tensor:
        """Logits ``(Q, 3)`` of points and distances that stay within the video."""
        point, before, after = self.reference_logits.unbind(-1)
        room = inverse_sigmoid(1 - point.sigmoid())
        cut = torch.stack((point, before.minimum(point), after.minimum(room)), dim=-1)
        return self.reference_logits + (cut - self.reference_logits).detach()

    def forward(self, state: GroundingState) -> QueryProposals:
        """See :class:`QuerySource`."""
        batch = state.memory.shape[0]
        mask = state.video_mask.new_ones(batch, self.num_queries)
        references = self.bounded().sigmoid().expand(batch, -1, -1)
        return QueryProposals(self.content.expand(batch, -1, -1), references, mask)


@MODELS.register_module()
class LearnedSlots(QuerySource):
    """Learned positions for a decoder without spans, with content zero (DETR, 2020).

    Args:
        dim: Token width.
        num_queries: Number of queries.
    """

    gives_spans = False

    def __init__(self, dim: int, num_queries: int = 10) -> None:
        super().__init__()
        self.dim = dim
        self.slots = nn.Parameter(torch.randn(num_queries, dim))

    def forward(self, state: GroundingState) -> QueryProposals:
        """See :class:`QuerySource`."""
        slots = self.slots.expand(state.memory.shape[0], -1, -1)
        mask = state.video_mask.new_ones(slots.shape[:2])
        return QueryProposals(torch.zeros_like(slots), None, mask, position=slots)


@MODELS.register_module()
class PyramidQuerySelector(QuerySource):
    """Takes the best cells of the feature pyramid as queries.

    Every cell proposes a span around itself; the cells with the highest ``sqrt(class * quality)``
    become queries with their feature as content and their span as reference (SG-DETR, arXiv
    2410.01615, section 3.5, after the two-stage selection of DINO). Cells whose proposal touches
    the border and padded cells are not eligible. Neither content nor reference passes gradient.

    Args:
        dim: Token width.
        num_queries: Number of queries.
        widths: Proposed width per pyramid level, as a fraction of the video.
        border: Proposals need ``border < centre, width < 1 - border``.
        prior: Initial foreground probability.
        quality: Predict the overlap of the proposals too and rank by it; without, rank by class.
        use_ineligible: Let ineligible cells fill up the queries of a very short video and treat
            them as real, as the released code does.
    """

    requires = ('pyramid',)
    supervised = True

    def __init__(
        self,
        dim: int,
        num_queries: int = 25,
        widths: tuple[float, ...] = (0.05, 0.2, 0.4, 0.85),
        border: float = 0.0125,
        prior: float = 0.35,
        quality: bool = True,
        use_ineligible: bool = False,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.num_queries = num_queries
        self.widths = tuple(widths)
        self.border = border
        self.use_ineligible = use_ineligible
        self.project = xavier_linear(nn.Linear(dim, dim))
        self.norm = nn.LayerNorm(dim)
        self.class_head = nn.Linear(dim, 1)
        self.quality_head = nn.Linear(dim, 1) if quality else None
        self.span_head = MLP(dim, dim, dim, 2, zero_last=True)
        prior_logit = torch.tensor(prior).logit().item()
        nn.init.normal_(self.class_head.weight, std=0.01)
        nn.init.constant_(self.class_head.bias, prior_logit)
        if self.quality_head is not None:
            nn.init.xavier_uniform_(self.quality_head.weight)
            nn.init.constant_(self.quality_head.bias, 2 * prior_logit)

    def check_pyramid(self, strides: tuple[float, ...]) -> None:
        """See :meth:`vtg.models.base.Component.check_pyramid`."""
        if len(self.widths) != len(strides):
            raise ConfigError(
                f'PyramidQuerySelector has {len(self.widths)} widths, but the pyramid '
                f'{len(strides)} levels of strides {strides}; set queries.widths to one fraction '
                'of the video per level.'
            )

    def forward(self, state: GroundingState) -> QueryProposals:
        """See :class:`QuerySource`."""
        proposals, eligible = self.proposals(state.pyramid)
        tokens = torch.cat(state.pyramid.features, dim=1)
        tokens = torch.where(eligible.unsqueeze(-1), tokens, tokens.new_zeros(()))
        features = self.norm(self.project(tokens))
        logits = self.class_head(features)
        quality = None if self.quality_head is None else self.quality_head(features)
        span_logits = inverse_sigmoid(proposals) + self.span_head(features)
        span_logits = span_logits.masked_fill(~eligible.unsqueeze(-1), torch.inf)

        score = logits.sigmoid() if quality is None else logits.sigmoid() * quality.sigmoid()
        score = score.squeeze(-1).detach().masked_fill(~eligible, -torch.inf)
        best = score.topk(min(self.num_queries, score.shape[1]), dim=1).indices

        def take(values: Tensor) -> Tensor:
            return values.gather(1, best.unsqueeze(-1).expand(-1, -1, values.shape[-1]))

        spans = take(span_logits).sigmoid()
        mask = eligible.gather(1, best)
        return QueryProposals(
            content=take(features).detach(),
            reference=spans.detach(),
            mask=torch.ones_like(mask) if self.use_ineligible else mask,
            logits=take(logits),
            quality=None if quality is None else take(quality).squeeze(-1),
            spans=spans,
        )

    def proposals(self, pyramid: FeaturePyramid) -> tuple[Tensor, Tensor]:
        """Return the spans ``(B, A, 2)`` that cells propose and which are eligible ``(B, A)``."""
        spans = []
        for mask, width in zip(pyramid.masks, self.widths, strict=True):
            cells = torch.arange(mask.shape[1], device=mask.device) + 0.5
            centre = cells / mask.sum(dim=1, keepdim=True)
            spans.append(torch.stack((centre, torch.full_like(centre, width)), dim=-1))
        proposals = torch.cat(spans, dim=1)
        inside = (proposals > self.border) & (proposals < 1 - self.border)
        return proposals, torch.cat(pyramid.masks, dim=1) & inside.all(dim=-1)
