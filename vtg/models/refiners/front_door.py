# SPDX-License-Identifier: Apache-2.0
"""Tokens take in what a dictionary of whole videos or texts holds."""

import weakref
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from vtg.models.base import Component, Projector, Refiner
from vtg.models.layers import Dropout, attend, masked_average, merge_heads, split_heads, unit
from vtg.models.layers import dropout as dropped
from vtg.registry import MODELS
from vtg.structures import GroundingState, in_float32
from vtg.utils import ConfigError, check_choice


def moved_rows(rows: Tensor, values: Tensor, index: Tensor, momentum: float) -> Tensor:
    """Move rows of a dictionary towards values, one value after the other.

    ``row <- m row + (1 - m) value``; several values of one row go in in their order.

    Args:
        rows: ``(K, D)``.
        values: ``(B, D)``.
        index: ``(B,)`` the row of every value.
        momentum: m, in (0, 1].

    Returns:
        ``(K, D)``.
    """
    same = index.unsqueeze(1) == index
    later = same.triu(diagonal=1).sum(dim=1)
    share = (1 - momentum) * momentum ** later.to(rows)
    count = rows.new_zeros(rows.shape[0]).index_add(0, index, rows.new_ones(index.shape[0]))
    kept = rows * (momentum**count).unsqueeze(-1)
    return kept.index_add(0, index, (share.unsqueeze(-1) * values).to(rows))


@MODELS.register_module()
class FrontDoorEncoder(Refiner):
    """Every token of one modality attends to a dictionary of typical videos or texts and mixes in
    what it finds there, by a gate.

    The front-door adjustment of CausalVTG (NeurIPS 2025): the rows of the dictionary stand for the
    confounders. ``y = A(x, M, M)`` without output projection,
    ``LN(g y + (1 - g) x)`` with ``g = sigmoid(w_y y + w_x x)``, a number per token. Every training
    step first moves, for each sample, the row that is most like the mean of its features, mapped
    by a perceptron that stays as it is initialised.

    Args:
        dim: Token width.
        stream: ``'video'`` or ``'text'``.
        num_rows: Rows of the dictionary, K.
        num_heads: Attention heads.
        dropout: On attention weights.
        summary_dropout: In front of both layers of the map.
        row_momentum: Share of a row that stays when it moves; 1 leaves the dictionary as it is.
        endpoints: Last columns of the features that are left out, the temporal endpoints of clips.
        rows_file: A ``.npy`` file ``(K, F)`` with features of typical videos or texts, such as one
            member of every cluster; random ones without.
        average_over: Mean features of ``'valid'`` clips or words, or of ``'padded'`` ones too, as
            in the released code.
        mask_padding: False gives padded tokens the mean row, as the released code does; others
            that count padding may then see it.
    """

    # What a step moves depends on the whole batch.
    joint = False

    def __init__(
        self,
        dim: int,
        stream: Literal['video', 'text'] = 'video',
        num_rows: int = 256,
        num_heads: int = 8,
        dropout: float = 0.1,
        summary_dropout: float = 0.5,
        row_momentum: float = 0.5,
        endpoints: int = 0,
        rows_file: str | None = None,
        average_over: Literal['valid', 'padded'] = 'valid',
        mask_padding: bool = True,
    ) -> None:
        super().__init__()
        self.stream = check_choice(stream, ('video', 'text'), 'FrontDoorEncoder: stream')
        if not 0 < row_momentum <= 1:
            raise ConfigError(
                f'FrontDoorEncoder: row_momentum is {row_momentum}; expected above 0, up to 1.'
            )
        if num_rows < 1 or dim % num_heads:
            raise ConfigError(
                f'FrontDoorEncoder: num_rows is {num_rows} and num_heads {num_heads}; expected at '
                f'least one row and a divisor of dim={dim}.'
            )
        self.requires = (stream, f'{stream}_features', f'{stream}_mask')
        self.provides = (stream,)
        self.text_free = ('video',) if stream == 'video' else ()
        self.follows = (f'{stream}_projector',)
        self.dim = dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.summary_dropout = summary_dropout
        self.row_momentum = row_momentum
        self.endpoints = endpoints
        self.rows_file = rows_file
        choices = ('valid', 'padded')
        self.average_over = check_choice(average_over, choices, 'FrontDoorEncoder: average_over')
        self.mask_padding = mask_padding
        self.query, self.key, self.value = (nn.Linear(dim, dim) for _ in range(3))
        self.gate_found, self.gate_own = nn.Linear(dim, 1), nn.Linear(dim, 1)
        self.norm = nn.LayerNorm(dim)
        # Among the weights, as it is learned, though by no gradient.
        self.dictionary = nn.Parameter(torch.zeros(num_rows, dim), requires_grad=False)
        # The state of the running step and the dictionary that it began with, so that a stage may
        # be computed twice; and what it has moved, which is kept when it has its losses.
        self._begun: tuple[weakref.ref[GroundingState], Tensor] | None = None
        self._moved: Tensor | None = None

    def follow(self, slots: Mapping[str, Sequence[Component]]) -> None:
        """Make the map and the dictionary for the features that the projector reads."""
        (slot,) = self.follows
        first = next(iter(slots[slot]), None)
        width = (first.in_dim if isinstance(first, Projector) else 0) - self.endpoints
        if width < 1:
            raise ConfigError(
                f'FrontDoorEncoder reads {self.stream} features, but model.{slot} gives no width '
                'for them; set its in_dim.'
            )
        dim = self.dictionary.shape[1]
        summary = nn.Sequential(
            nn.LayerNorm(width),
            Dropout(self.summary_dropout),
            nn.Linear(width, dim),
            nn.ReLU(),
            nn.LayerNorm(dim),
            Dropout(self.summary_dropout),
            nn.Linear(dim, dim),
        )
        # Its result reaches the dictionary alone, which no gradient does.
        self.summary = summary.requires_grad_(False)
        features = self._typical(width)
        with torch.no_grad():
            self.dictionary.copy_(summary.eval()(features))
        summary.train()

    def _typical(self, width: int) -> Tensor:
        """Features ``(K, F)`` that the dictionary starts from."""
        rows = len(self.dictionary)
        if self.rows_file is None:
            return nn.init.xavier_uniform_(torch.empty(rows, width))
        try:
            features = torch.from_numpy(np.load(self.rows_file)).float()
        except (OSError, ValueError) as error:
            raise ConfigError(
                f'FrontDoorEncoder: rows_file {self.rows_file!r} cannot be read: {error}'
            ) from error
        if features.shape != (rows, width):
            raise ConfigError(
                f'FrontDoorEncoder: rows_file {self.rows_file!r} holds an array of shape '
                f'{tuple(features.shape)}; expected num_rows={rows} rows of {width} columns, the '
                f'{self.stream} features without temporal endpoints.'
            )
        return features

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``video (B, L, D)`` or ``text (B, N, D)``; padded tokens hold anything."""
        tokens = getattr(state, self.stream)
        mask = getattr(state, f'{self.stream}_mask')
        rows: Tensor = self.dictionary
        if self.training and self.row_momentum < 1:
            if self._begun is None or self._begun[0]() is not state:
                self._begun = (weakref.ref(state), rows.clone())
            start = self._begun[1]
            self._moved = rows = self.moved(start, getattr(state, f'{self.stream}_features'), mask)
        found = self.attended(tokens, mask, rows.to(tokens.dtype))
        gate = (self.gate_found(found) + self.gate_own(tokens)).sigmoid()
        return {self.stream: self.norm(gate * found + (1 - gate) * tokens)}

    def attended(self, tokens: Tensor, mask: Tensor, rows: Tensor) -> Tensor:
        """What tokens ``(B, L, D)`` find in the dictionary ``(K, D)``: ``(B, L, D)``."""
        sources = rows.expand(tokens.shape[0], -1, -1)
        query, key, value = (
            split_heads(x, self.num_heads)
            for x in (self.query(tokens), self.key(sources), self.value(sources))
        )
        p = self.dropout if self.training else 0.0
        if self.mask_padding:
            return merge_heads(attend(query, key, value, p=p))
        # So low that nothing is left of the logits: all rows count the same.
        bias = torch.zeros(mask.shape, device=mask.device).masked_fill(~mask, -1e9)
        logits = in_float32(query @ key.mT) * query.shape[-1] ** -0.5 + bias[:, None, :, None]
        return merge_heads(dropped(logits.softmax(dim=-1).to(value.dtype), p) @ value)

    @torch.no_grad()
    def moved(self, rows: Tensor, features: Tensor, mask: Tensor) -> Tensor:
        """The dictionary ``(K, D)`` behind a step on features ``(B, L, F)`` that begins with
        ``rows (K, D)``."""
        values = self.summaries(features, mask)
        return moved_rows(rows, values, self.nearest(rows, values), self.row_momentum)

    @torch.no_grad()
    def summaries(self, features: Tensor, mask: Tensor) -> Tensor:
        """The mapped mean ``(B, D)`` of features ``(B, L, F)``."""
        features = features[..., : features.shape[-1] - self.endpoints]
        if features.ndim > 3:  # layers and patches of a clip
            features = features.flatten(2, -2).mean(dim=2)
        mask = mask if self.average_over == 'valid' else torch.ones_like(mask)
        return self.summary(masked_average(features, mask).to(features.dtype))

    @staticmethod
    def nearest(rows: Tensor, values: Tensor) -> Tensor:
        """Which of rows ``(K, D)`` is most like each of values ``(B, D)``: ``(B,)``."""
        return (unit(values) @ unit(rows).mT).argmax(dim=1)

    @torch.no_grad()
    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """No loss; keeps the dictionary that the step has read."""
        if self.training and self._moved is not None:
            self.dictionary.copy_(self._moved)
            self._moved = None
        return {}
