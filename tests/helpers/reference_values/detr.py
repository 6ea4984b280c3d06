# SPDX-License-Identifier: Apache-2.0
"""What the reference sets of the DETR-like systems have in common."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from vtg.models.extras import Context
from vtg.structures import GroundingState, GroundingTargets

from .case import Outputs, SystemCase
from .common import Step, train_step
from .core import ReferenceSet, Row, compare


def width(*names: str) -> Callable[[ReferenceSet], int]:
    """The width of stored inputs, those that are there side by side."""
    return lambda data: sum(
        next((data[key].shape[-1] for key in data if key.endswith(f'in/{name}')), 0)
        for name in names
    )


def depth(stack: str) -> Callable[[ReferenceSet], int | None]:
    """Number of layers of a stack, e.g. ``'transformer.encoder'``, in the stored weights."""
    pattern = re.compile(rf'sd/{re.escape(stack)}\.layers\.(\d+)\.')

    def count(data: ReferenceSet) -> int | None:
        found = [int(match[1]) for key in data if (match := pattern.match(key))]
        return max(found) + 1 if found else None

    return count


def scaled(*paths: str, exact: bool = False) -> Callable[[ReferenceSet], Callable[[Any], Any]]:
    """Multiply an option by the stored factors."""

    def factor(data: ReferenceSet) -> Callable[[Any], Any]:
        value = 1.0
        for path in paths:
            value *= data.fact(path)
        return lambda old: value if exact or old is None else old * value

    return factor


SIZES: dict[str, Any] = {
    'defaults.dim': 'config.hidden_dim',
    'defaults.num_heads': 'config.nheads',
    'defaults.hidden_dim': 'config.dim_feedforward',
    'video_projector.in_dim': width('src_vid', 'src_aud'),
    'text_projector.in_dim': width('src_txt'),
    'video_projector.num_layers': 'config.n_input_proj',
    'text_projector.num_layers': 'config.n_input_proj',
}
"""What the released code of all systems names alike."""


def loss_sizes(weights: str) -> dict[str, Any]:
    """Where the weights of a DETR-like system go; ``weights`` is their place in the set."""
    return {
        'moment_head.matcher.costs.span.weight': 'config.set_cost_span',
        'moment_head.matcher.costs.giou.weight': 'config.set_cost_giou',
        'moment_head.matcher.costs.label.weight': 'config.set_cost_class',
        **{
            f'moment_head.losses.{name}.weight': f'{weights}.loss_{name}'
            for name in ('span', 'giou', 'label')
        },
        # The released code gives every layer the weights of the last one, or none.
        'moment_head.stage_weights': lambda data: dict(
            layers=float(data.fact('config.aux_loss') is not False)
        ),
        'moment_head.losses.label.background_weight?': 'config.eos_coef',
        'saliency_head.losses.*.weight': scaled(f'{weights}.loss_saliency'),
        'saliency_head.losses.margin.margin': 'config.saliency_margin',
        'moment_head.losses.align?.embed_dim': 'config.contrastive_hdim',
        'moment_head.losses.align?.temperature': 'config.temperature',
        'moment_head.losses.align?.weight': f'{weights}.loss_contrastive_align',
    }


DETR_SIZES = {
    **SIZES,
    **loss_sizes('weights'),
    'fusion?.num_layers': depth('transformer.t2v_encoder'),
    'encoder?.num_layers?': depth('transformer.encoder'),
    'moment_head.queries.num_queries': 'config.num_queries',
    'moment_head.decoder.num_layers': depth('transformer.decoder'),
    'test_cfg.post_processor.steps.round?.grid': 'config.clip_length',
}
DETECTION: dict[str, str | tuple[str, ...]] = {
    'loss_span': 'loss_span',
    'loss_giou': 'loss_giou',
    'loss_label': 'loss_label',
}
"""Our losses of the query head by the stored name."""


class DetrCase(SystemCase):
    """A system whose moments come from queries.

    Attributes:
        last, aux: Where predictions of the last and of an earlier layer are stored.
    """

    sizes = DETR_SIZES
    valid = r'out/(fixmask_)?(saliency_scores(_neg)?|mid\.(fuser|(t2v_)?encoder(__call1)?))'
    left_out = {r'out/fn\.txt_position_embed': 'a module that no published run uses'}
    last, aux = 'out/', 'out/aux{layer}_'

    @property
    def head(self) -> Any:
        """The query head."""
        return self.model.slots['moment_head']

    def layers(self, name: str, values: Tensor) -> Outputs:
        """Values of all layers ``(layers, ...)`` by their stored names."""
        *earlier, last = values
        found: Outputs = {self.aux.format(layer=i) + name: v for i, v in enumerate(earlier)}
        return found | {self.last + name: last}

    def queries(self, state: GroundingState) -> Outputs:
        """Predictions of all layers."""
        predictions = state.moment_outputs['queries'].predictions
        logits = self.layers('pred_logits', predictions.logits)
        return logits | self.layers('pred_spans', predictions.spans)

    @torch.no_grad()
    def predicted(self, state: GroundingState, records: list[dict[str, Any]]) -> Outputs:
        """Tokens, decoder layers, predictions and clip scores."""
        return {
            'out/mid.input_vid_proj': state.projected_video,
            'out/mid.input_txt_proj': state.projected_text,
            'out/mid.position_embed': state.video_pos,
            'out/saliency_scores': state.saliency,
            'out/video_mask': state.video_mask,
            **self.sequences(state),
            **self.decoder(state.moment_outputs['queries']),
            'out/mid.span_embed': self.head.span_head(state.moment_outputs['queries'].normed),
            **self.queries(state),
        }

    @torch.no_grad()
    def trained(self, step: Step) -> Outputs:
        """The pass with negatives; the released code decodes them too and throws that away."""
        negative = step.state.negative
        if negative is None:
            return {}
        return {
            'out/saliency_scores_neg': negative.saliency,
            **self.sequences(negative, '__call1'),
            **self.decoder(self.head.decode(negative), '__call1'),
        }

    def sequences(self, state: GroundingState, suffix: str = '') -> Outputs:
        """Fused and encoded tokens, which the released code stores sequence first."""
        first = int(Context in state.extras)
        stop = first + state.video_mask.shape[1]
        key = f'out/mid.encoder{suffix}'
        context = state.extras.get(Context)
        return {
            f'out/mid.t2v_encoder{suffix}': (
                state.fused,
                lambda stored: stored[first:stop].transpose(0, 1),
            ),
            key: (state.memory, lambda stored: stored[first:stop].transpose(0, 1)),
            f'{key} context': (
                None if context is None else context.token,
                lambda stored: stored[0],
            ),
            f'{key} text': (state.memory_text, lambda stored: stored[stop:].transpose(0, 1)),
        }

    def decoder(self, outputs: Any, suffix: str = '') -> Outputs:
        """States of all layers and the spans that entered them."""
        key = f'out/mid.decoder{suffix}'
        references = outputs.predictions.references
        return {key: outputs.normed.transpose(1, 2), f'{key}.0': outputs.normed} | (
            {} if references is None else {f'{key}.1': references}
        )

    def reported(self, state: GroundingState, records: list[dict[str, Any]]) -> Iterator[Row]:
        """Compare what is reported."""
        windows = torch.tensor([record['pred_relevant_windows'] for record in records])
        yield from self.windows('out/post_windows', windows, 1e-4)
        yield from self.scores('out/post_saliency', records)

    def more(self) -> Iterator[Row]:
        """Compare the saliency loss on labels in the form of TVSum: one pair, real values."""
        stored = self.get('loss/tvsum.loss_saliency')
        if stored is None:
            return
        labels = self.data.below(f'{self.inputs}in/tvsum.')

        def highlights(targets: GroundingTargets) -> GroundingTargets:
            return replace(
                targets,
                saliency=labels['saliency_all_labels'].float(),
                pos_clips=labels['saliency_pos_labels'],
                neg_clips=labels['saliency_neg_labels'],
            )

        step = train_step(self.model, self.batch, highlights)
        value, weight = self.find_loss(step, 'loss_saliency')
        key = 'loss/tvsum.loss_saliency'
        yield compare(self.name(key), value / weight, stored, self.tolerance(key))
