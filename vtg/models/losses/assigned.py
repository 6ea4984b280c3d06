# SPDX-License-Identifier: Apache-2.0
"""What a moment head hands to its losses: predictions with their targets."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, TypeVar

import torch
from torch import Tensor

from vtg.structures import cxw_to_xx, iou_aligned, xx_to_cxw

T = TypeVar('T')


class remembered(cached_property[T]):
    """``functools.cached_property``; ``torch.compile`` sees through it and finds repetitions."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is not None and torch.compiler.is_compiling():
            return self.func(instance)
        return super().__get__(instance, owner)


@dataclass(frozen=True)
class AssignedPredictions:
    """Predictions of N entries (queries, anchors, points or clips) and what each should have been.

    The head decides once which entry has to find which moment; no loss does so again. S stages are
    the layers of a decoder, in the order in which they run; other heads have one. What a head does
    not give is None. Targets of entries that are not ``positive`` may be anything.

    Attributes:
        logits: ``(S, B, N, C)``: C is 1 for the foreground, or 2 for foreground and background.
        mask: ``(1 or S, B, N)`` True where an entry is classified.
        positive: ``(S, B, N)`` True where it has to find a moment.
        spans, wanted: ``(S, B, N, 2)`` predicted and assigned spans, in the unit of the head.
        ends: Spans are start and end; else they are centre and width.
        span_weight: ``(S, B, N)`` weight of the entries in means over moments; None is 1 for
            positive ones.
        num_labels: ``(S,)`` divisor of the classification; None divides by the entries classified.
        num_spans: ``(S,)`` divisor of means over moments; None divides by the weights.
        heat: ``(S, B, N)`` soft targets of the foreground, 1 where it is certain.
        offsets, wanted_offsets: ``(S, B, N, 2)`` distances from a point to start and end.
        quality: ``(S, B, N)`` logits of the overlap that is reached.
        centerness, wanted_centerness: ``(S, B, N)`` logits and targets of how central an anchor
            lies in its moment.
        references: ``(S, B, N, 2)`` what ``spans`` correct, in the same form.
        moments: ``(1, B, G, 2)`` all moments of a sample, in the same form, normalised.
        states: ``(S, B, N, D)`` the tokens that predictions are made from.
        clip_scores: ``(S, B, L)`` one logit per clip.
    """

    logits: Tensor
    mask: Tensor
    positive: Tensor
    spans: Tensor
    wanted: Tensor
    ends: bool = False
    span_weight: Tensor | None = None
    num_labels: Tensor | None = None
    num_spans: Tensor | None = None
    heat: Tensor | None = None
    offsets: Tensor | None = None
    wanted_offsets: Tensor | None = None
    quality: Tensor | None = None
    centerness: Tensor | None = None
    wanted_centerness: Tensor | None = None
    references: Tensor | None = None
    moments: Tensor | None = None
    states: Tensor | None = None
    clip_scores: Tensor | None = None

    def gives(self, needs: tuple[str, ...]) -> bool:
        """Whether all these fields are set."""
        return all(getattr(self, name) is not None for name in needs)

    def stages(self, start: int, **values: Tensor | None) -> 'AssignedPredictions':
        """Return the stages from ``start`` on, with other values of some fields."""
        cut: dict[str, Any] = {
            field.name: value[start:]
            for field in fields(self)
            if isinstance(value := getattr(self, field.name), Tensor) and len(value) > 1
        }
        return replace(self, **(cut | values))

    @remembered
    def as_ends(self) -> tuple[Tensor, Tensor]:
        """Predicted and assigned start and end; both the same where nothing is assigned."""
        return self._both(cxw_to_xx) if not self.ends else self._both()

    @remembered
    def as_centre_width(self) -> tuple[Tensor, Tensor]:
        """Predicted and assigned centre and width; both the same where nothing is assigned."""
        return self._both(xx_to_cxw) if self.ends else self._both()

    def _both(self, convert: Callable[[Tensor], Tensor] | None = None) -> tuple[Tensor, Tensor]:
        # Predictions without a moment may be infinite, which a weight of 0 would not remove.
        found = torch.where(self.positive.unsqueeze(-1), self.spans, self.wanted)
        return (found, self.wanted) if convert is None else (convert(found), convert(self.wanted))

    @remembered
    def overlap(self) -> Tensor:
        """``(S, B, N)`` overlap with the assigned moment, without gradient; 0 without one."""
        spans, wanted = (value.detach() for value in self.as_ends)
        return iou_aligned(spans, wanted, 1e-7).clamp(0, 1) * self.positive

    def label_mean(self, values: Tensor) -> Tensor:
        """``(S,)`` sum of ``values (S, B, N)`` over classified entries by their divisor."""
        if self.num_labels is None:
            return self.entry_mean(values)
        return _total(values, self.mask) / self.num_labels

    def entry_mean(self, values: Tensor) -> Tensor:
        """``(S,)`` mean of ``values (S, B, N)`` over all classified entries of the batch."""
        count = self.mask.expand_as(values).flatten(1).sum(dim=1).clamp(min=1)
        return _total(values, self.mask) / count

    def positive_mean(self, values: Tensor) -> Tensor:
        """``(S,)`` mean of ``values (S, B, N)`` over all entries of the batch with a moment."""
        return _total(values, self.positive) / self.positive.flatten(1).sum(dim=1).clamp(min=1)

    def span_mean(self, values: Tensor) -> Tensor:
        """``(S,)`` mean of ``values (S, B, N)`` weighted by ``span_weight``; 0 without weight."""
        if self.num_spans is not None:
            return _total(values, self.positive) / self.num_spans
        if self.span_weight is None:
            return self.positive_mean(values)
        weight = self.span_weight.to(values.dtype)
        total = weight.flatten(1).sum(dim=1)
        total = torch.where(total > 0, total, torch.ones_like(total))
        return _total(values * weight, weight > 0) / total


def _total(values: Tensor, mask: Tensor) -> Tensor:
    """``(S,)`` sum of ``values (S, ...)`` where ``mask`` is True, whatever stands elsewhere."""
    return torch.where(mask, values, values.new_zeros(())).flatten(1).sum(dim=1)
