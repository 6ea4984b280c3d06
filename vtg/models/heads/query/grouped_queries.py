# SPDX-License-Identifier: Apache-2.0
"""Queries in groups, each for moments of other lengths."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from vtg.registry import MODELS
from vtg.structures import GroundingState, GroundingTargets, per_sample
from vtg.utils import ConfigError

from .sources import QueryProposals, QuerySource

# Seconds. A length that equals a bound belongs to the shorter class, whatever float32 makes of it.
_ROUNDING = 1e-3


@MODELS.register_module()
class GroupedQueries(QuerySource):
    """The queries of another source once per class of lengths, told apart by a learned content.

    Length-aware decoding of LA-DETR (Park et al., "Length-Aware DETR", arXiv 2412.20816): queries
    of a group share their references with those of the others, and may only be matched with moments
    of its class. Slots are in the order of the groups. It fits every source.

    Args:
        source: Config of the source of Q queries.
        lengths: Greatest length of a moment of every class, in seconds, rising; a longer moment
            belongs to the last class.
    """

    parts: ClassVar[dict[str, Any]] = {'source': {'type': 'LearnedQueries'}}

    def __init__(self, source: dict, lengths: Sequence[float] = (10.0, 30.0, 150.0)) -> None:
        super().__init__()
        if not lengths or list(lengths) != sorted(set(lengths)):
            raise ConfigError(
                f'GroupedQueries: lengths must rise from class to class, got {lengths!r}; give the '
                'greatest length of every class in seconds.'
            )
        self.source: QuerySource = MODELS.build(source)
        self.lengths = tuple(float(length) for length in lengths)
        self.dim = self.source.dim
        self.requires = self.source.requires
        self.reads = self.source.reads
        self.supervised = self.source.supervised
        self.gives_spans = self.source.gives_spans
        self.reference_dim = self.source.reference_dim
        self.bounds: Tensor
        bounds = torch.tensor(self.lengths, dtype=torch.float32) + _ROUNDING
        self.register_buffer('bounds', bounds, persistent=False)
        self.content = nn.Parameter(torch.randn(len(self.lengths), self.dim))

    @property
    def quality_head(self) -> nn.Module | None:
        """That of the source, where its queries are predictions."""
        return getattr(self.source, 'quality_head', None)

    def check_pyramid(self, strides: tuple[float, ...]) -> None:
        """See :meth:`vtg.models.base.Component.check_pyramid`."""
        self.source.check_pyramid(strides)

    def forward(self, state: GroundingState) -> QueryProposals:
        """See :class:`QuerySource`; ``(B, groups * Q, ·)``."""
        found, groups = self.source(state), len(self.lengths)

        def repeated(value: Tensor | None) -> Tensor | None:
            return None if value is None else value.repeat(1, groups, *[1] * (value.ndim - 2))

        names = ('reference', 'mask', 'logits', 'quality', 'spans', 'position')
        size = found.mask.shape[1]
        own = self.content.repeat_interleave(size, dim=0)  # (groups * Q, C)
        return replace(
            found,
            content=found.content.repeat(1, groups, 1) + own,
            **{name: repeated(getattr(found, name)) for name in names},
        )

    def loss(self, proposals: QueryProposals, state: GroundingState) -> dict[str, Tensor]:
        """That of the source, on the queries of the first group, which are like those of others."""
        size = proposals.mask.shape[1] // len(self.lengths)
        return self.source.loss(per_sample(lambda value: value[:, :size], proposals), state)

    def classes(self, targets: GroundingTargets) -> Tensor:
        """``(B, G)`` class of every moment."""
        seconds = targets.spans[..., 1] * targets.duration[:, None]
        bounds = self.bounds.to(seconds.dtype)
        found = torch.bucketize(seconds.contiguous(), bounds)
        return found.clamp(max=len(self.lengths) - 1)

    def pairs(self, targets: GroundingTargets, num_queries: int) -> Tensor:
        """See :class:`QuerySource`: pairs of one class."""
        size = num_queries // len(self.lengths)
        group = torch.arange(num_queries, device=targets.spans.device) // size
        return self.classes(targets).unsqueeze(-1) == group
