# SPDX-License-Identifier: Apache-2.0
"""EaTR against values of its released code."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from vtg.structures import GroundingState

from .case import Outputs, Run
from .common import Step, check_matches
from .core import Row
from .detr import DETECTION, DETR_SIZES, DetrCase

CLEAN = {
    'moment_head.queries.mask_padding': True,
    'moment_head.queries.events.mask_padding': True,
    'moment_head.queries.events.spurious': False,
    'moment_head.decoder.mask_padding': True,
}


def _weight(name: str) -> Any:
    return lambda data: data.fact(f'weights.{name}')


def _of_order(*axes: int) -> Any:
    return lambda stored: stored.permute(*axes)


class EatrCase(DetrCase):
    """Without padding, with it as released, and with it as meant."""

    system, config = 'eatr', 'eatr/qvhl_official.py'
    sizes = {
        **DETR_SIZES,
        'moment_head.queries.num_iterations': 'config.num_slot_iter',
        'moment_head.queries.matcher.costs.span.weight': 'config.set_cost_span',
        'moment_head.queries.matcher.costs.giou.weight': 'config.set_cost_giou',
        'moment_head.queries.losses.span.weight': _weight('loss_event_span'),
        'moment_head.queries.losses.giou.weight': _weight('loss_event_giou'),
    }
    runs = (Run('nopad/'), Run(''), Run('cleanmask/', '', CLEAN))
    clean = CLEAN
    losses = {
        **DETECTION,
        'loss_saliency': 'loss_saliency_margin',
        'loss_event_span': 'loss_event_span',
        'loss_event_giou': 'loss_event_giou',
    }

    @torch.no_grad()
    def predicted(self, state: GroundingState, records: list[dict[str, Any]]) -> Outputs:
        """Also the slots, the gate and the events."""
        outputs = state.moment_outputs['queries']
        queries, decoder = self.head.queries, self.head.decoder
        proposals = outputs.proposals
        features, mask = state.video_features, state.video_mask
        events, real = queries.events(features, mask)
        normed = queries.event_norm(proposals.content)
        return {
            **super().predicted(state, records),
            **{
                f'out/mid.decoder.layers.{layer}': (hidden, _of_order(1, 0, 2))
                for layer, hidden in enumerate(self.hidden(state))
            },
            'out/mid.gate_norm': (self.gated(state), _of_order(1, 0, 2)),
            'out/mid.text_global': decoder.text_vector(state),
            'out/mid.slot_atten': proposals.content,
            'out/mid.event_slots': normed,
            'out/mid.event_span_embed': queries.span_head(normed),
            'out/pred_event_spans': proposals.events,
            'out/pseudo_event_spans': events[real],
            'out/pseudo_event_counts': real.sum(dim=1),
            'out/pseudo_event_score': self.boundary_scores(features, mask),
        }

    def boundary_scores(self, features: Tensor, mask: Tensor) -> Tensor:
        """The scores of boundaries; those of padding are not compared where none lies there."""
        events = self.head.queries.events
        scores = events.scores(features, mask)
        return scores * mask if events.mask_padding else scores

    def hidden(self, state: GroundingState) -> Tensor:
        """States of all layers ``(layers, B, Q, D)`` before the norm of the decoder."""
        return self.decode(state)[0]

    def gated(self, state: GroundingState) -> Tensor:
        """Queries behind the gate ``(B, Q, D)``."""
        return self.decode(state)[1]

    def decode(self, state: GroundingState) -> tuple[Tensor, Tensor]:
        """Run the decoder once more and look at its gate."""
        found: list[Tensor] = []
        proposals = state.moment_outputs['queries'].proposals
        gate = self.head.decoder.layers[0].gate
        hook = gate.register_forward_hook(lambda module, args, out: found.append(out))
        try:
            decoded = self.head.decoder(
                proposals.content, proposals.reference, *self.head._memory(state), state=state
            )
        finally:
            hook.remove()
        return decoded.hidden, found[0]

    def matches(self, step: Step) -> Iterator[Row]:
        """Also those of slots and events."""
        yield from super().matches(step)
        events = step.matches[0][0]
        stored = self.get('out/match_event')
        if stored is not None:
            yield check_matches(self.name('out/match_event'), events, stored)
