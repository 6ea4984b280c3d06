# SPDX-License-Identifier: Apache-2.0
"""BAM-DETR against values of its released code."""

import re
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from vtg.models.extras import BoundaryFeatures
from vtg.structures import GroundingState

from .case import Outputs, Run
from .common import Step
from .core import Row, compare_relative
from .detr import DETECTION, DetrCase
from .qd_detr import QdDetrCase

_SIDES = ('left', 'right')


class BamDetrCase(QdDetrCase):
    """As QD-DETR, with a decoder of two paths, overlaps as scores, and a map of boundaries."""

    system, config = 'bam_detr', 'bam_detr/qvhl_official.py'
    sizes = {
        **{k: v for k, v in DetrCase.sizes.items() if '.label' not in k},
        'moment_head.losses.quality.weight': 'weights.loss_quality',
        'neck.weight': 'weights.loss_boundary',
    }
    clean = {
        **QdDetrCase.clean,
        'neck.mask_padding': True,
        'neck.length': 'own',
        'moment_head.decoder.sampling.length': 'own',
    }
    runs = (*QdDetrCase.runs, Run('nopad/', options=clean), Run('clean/', '', clean))
    losses = {
        **{k: v for k, v in QdDetrCase.losses.items() if k not in DETECTION or k != 'loss_label'},
        'loss_quality': 'loss_quality',
        'loss_boundary': 'loss_boundary',
    }
    valid = DetrCase.valid + r'|out/boundary_map_(left|right)'
    left_out = {
        **DetrCase.left_out,
        r'out/(aux\d_)?pred_logits': 'no part of the model: a class that is not read',
        r'loss/(weighted\.)?(loss_label|class_error)(_\d)?': 'no part of the model: a class',
    }

    @staticmethod
    def alias(module: str) -> str:
        """Sides have numbers in the weights; columns of the references are no modules."""
        if '.column_' in module:
            return ''
        names = (('anchor', 0), ('left', 1), ('right', 2))
        if module.startswith('span_embed'):
            for name, index in names:
                module = module.replace(f'.{name}', f'.{index}')
        else:
            module = re.sub(r'(boundary_layers\.\d+)\.left', r'\1.0', module)
            module = re.sub(r'(boundary_layers\.\d+)\.right', r'\1.1', module)
        return re.sub(
            r'(boundary_layers\.\d+\.\d)\.(point_\w+|\w+_proj)',
            r'\1.boundary_deformation.\2',
            module,
        )

    def find_loss(self, step: Step, name: str) -> tuple[Tensor | None, float] | None:
        """The class has no rule."""
        if re.match(r'class_error|loss_label', name):
            return None
        return super().find_loss(step, name)

    def decoder(self, outputs: Any, suffix: str = '') -> Outputs:
        """States are compared inside the decoder."""
        return {}

    def queries(self, state: GroundingState) -> Outputs:
        """Spans and overlaps of all layers."""
        predictions = state.moment_outputs['queries'].predictions
        quality = self.layers('pred_quality', predictions.logits.sigmoid())
        return quality | self.layers('pred_spans', predictions.spans)

    @torch.no_grad()
    def predicted(self, state: GroundingState, records: list[dict[str, Any]]) -> Outputs:
        """Also boundary features, and what happens inside the decoder."""
        decoder, inside = self.head.decoder, []
        modules: dict[str, Any] = {}
        for index, (layer, pair) in enumerate(zip(decoder.layers, decoder.boundaries)):
            modules[f'anchor.{index}'] = layer
            for side, boundary in zip(_SIDES, pair):
                modules[f'{side}.{index}'] = boundary
                modules[f'deform.{index}.{side}'] = boundary.attention
        found: dict[str, Tensor] = {}
        places: dict[str, Tensor] = {}
        hooks = []
        for name, module in modules.items():

            def keep(module: Any, given: Any, result: Tensor, name: str = name) -> None:
                found[name] = result
                if name.startswith('deform'):
                    query, point, _, mask = given
                    last = mask.shape[1] if module.length == 'padded' else mask.sum(1)
                    scale = torch.as_tensor(last - 1).reshape(-1, 1, 1, 1)
                    places[name] = module.places(query, point, mask) / scale

            hooks.append(module.register_forward_hook(keep))
        hooks.append(decoder.register_forward_hook(lambda _, __, result: inside.append(result)))
        content = self.model.slots['moment_head'].queries(state).content.chunk(3, dim=-1)
        self.model.run(state, ['moment_head'])
        for hook in hooks:
            hook.remove()
        sides, states = content[1:], []
        for index in range(len(decoder.layers)):
            anchor = found[f'anchor.{index}']
            states.append(torch.cat((anchor, *sides), dim=-1))
            sides = tuple(found[f'{side}.{index}'] for side in _SIDES)
            states.append(torch.cat((anchor, *sides), dim=-1))
        features = state.extras[BoundaryFeatures]
        both = (features.left, features.right)
        neck = self.model.slots['neck']
        # Layers go on with the point once more through the logistic function.
        refined, first = inside[0].refined, inside[0].references[:1]
        outputs: Outputs = {
            'out/mid.hs': torch.stack(states),
            'out/mid.references': torch.cat((first, refined)),
            'out/mid.boundary_feature': torch.cat(both, dim=-1),
            'out/query_embed_clipped': self.head.queries.bounded(),
            **self.layers('pred_raw', refined),
        }
        for name, value in places.items():
            outputs[f'out/mid.points{name.removeprefix("deform")}'] = value
            outputs[f'out/mid.{name}'] = found[name]
        for side, value in zip(_SIDES, both):
            outputs[f'out/boundary_map_{side}'] = neck.activity(value)
        return {
            'out/mid.input_vid_proj': state.projected_video,
            'out/mid.input_txt_proj': state.projected_text,
            'out/mid.position_embed': state.video_pos,
            'out/video_mask': state.video_mask,
            'out/saliency_scores': state.saliency,
            **self.sequences(state),
            **self.queries(state),
            **outputs,
        }

    @torch.no_grad()
    def trained(self, step: Step) -> Outputs:
        """The pass with negatives, and the targets of boundaries and overlaps."""
        negative = step.state.negative
        found: Outputs = {
            'out/saliency_scores_neg': negative.saliency,
            **self.sequences(negative, '__call1'),
        }
        neck = self.model.slots['neck']
        for side, target in zip(_SIDES, neck.targets(step.state)):
            found[f'out/boundary_target_{side}'] = target
        outputs = step.state.moment_outputs['queries']
        assigned, _ = self.head.assign(outputs, step.state)
        loss = self.head.losses['quality']
        best, means = loss.best(assigned, step.state), loss.means(assigned, step.state)
        *earlier, last = range(len(best))
        for layer in (*earlier, last):
            name = 'last' if layer == last else f'aux{layer}'
            suffix = '' if layer == last else f'_{layer}'
            found[f'out/quality_target_{name}'] = best[layer]
            for index, kind in enumerate(('low', 'mid', 'high')):
                found[f'loss/part.quality_{kind}{suffix}'] = means[layer, index]
        return found

    def reported(self, state: GroundingState, records: list[dict[str, Any]]) -> Iterator[Row]:
        """Compare the moments before, between and behind the steps of post-processing."""
        ranked = self.head.ranked(state)
        rows = torch.cat((ranked.spans, ranked.scores.unsqueeze(-1)), dim=-1)
        yield from self.windows('out/windows_raw', rows, 1e-3)
        steps = self.model.post_processor.steps
        for name, step in steps.items():
            if name != 'nms':
                ranked = step(ranked, state.duration)
        rows = torch.cat((ranked.spans, ranked.scores.unsqueeze(-1)), dim=-1)
        yield from self.windows('out/post_windows', rows, 1e-4)
        windows = torch.tensor([record['pred_relevant_windows'] for record in records])
        yield from self.windows('out/nms_windows', windows, 1e-4)
        yield from self.scores('out/post_saliency', records)

    def more(self) -> Iterator[Row]:
        """Compare the gradient of every number of the references."""
        yield from super().more()
        gradient = self.head.queries.reference_logits.grad
        for index, name in enumerate(('anchor', *_SIDES)):
            key = f'grad/query_embed.column_{name}'
            stored = self.get(key)
            if stored is not None:
                yield compare_relative(self.name(key), gradient[:, index].norm(), stored, 1e-3)
