# SPDX-License-Identifier: Apache-2.0
"""LD-DETR against values of its released code, with the loop that returns at once and with it
mended."""

import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from vtg.conversion import convert_state_dict
from vtg.structures import GroundingState

from .case import Outputs, Run
from .common import Step, predict, set_options, train_step
from .core import ReferenceSet, Row, compare
from .detr import DETECTION, DetrCase, depth, width
from .qd_detr import STRAIGHT

_DISTILLATION = 'auxiliary.distillation'
_FUSER = 'convolutional_fuser'


def _blocks(data: ReferenceSet) -> int:
    """Number of residual blocks in the stored weights."""
    prefix = f'sd/{_FUSER}.convolutional_block.blocks.'
    return 1 + max(int(key[len(prefix) :].split('.')[0]) for key in data.below('') if prefix in key)


def _loops(data: ReferenceSet) -> dict[str, Any]:
    return {'moment_head.decoder.loops': data.fact('config.num_decoder_loops')}


class LdDetrCase(DetrCase):
    """As TR-DETR without its second encoding; also what a training step changes beside weights."""

    system, config = 'ld_detr', 'ld_detr/qvhl_official.py'
    sizes = {
        **{key: value for key, value in DetrCase.sizes.items() if '.decoder.' not in key},
        'fusion?.num_layers': depth(f'{_FUSER}.t2v_encoder'),
        'video_projector.in_dim': width('src_vid'),
        'encoder.first.num_layers': depth(f'{_FUSER}.transformer_encoder1'),
        'encoder.second.num_layers': depth(f'{_FUSER}.transformer_encoder2'),
        'encoder.blocks.num_blocks': _blocks,
        'moment_head.decoder.decoder.num_layers': depth('loop_decoder.transformer_decoder'),
        f'{_DISTILLATION}.queue_size': 'config.queue_length',
        f'{_DISTILLATION}.momentum': 'config.momentum',
        f'{_DISTILLATION}.distillation': 'config.distillation_coefficient',
        f'{_DISTILLATION}.weight': 'weights.loss_align',
        'auxiliary.prediction.weight': 'weights.loss_sim',
    }
    clean = {
        **STRAIGHT,
        'encoder.blocks.mask_padding': True,
        'feedback.moments.length': 'own',
        'auxiliary.*.average_over': 'valid',
    }
    runs = (
        Run('nopad/'),
        Run(''),
        Run('cleanmask/', '', STRAIGHT),
        Run('nopad/', options=clean),
        Run('loop/', '', kind='loop'),
        Run('loop/nopad/', 'nopad/', kind='loop'),
    )
    losses = {
        **DETECTION,
        'part.saliency_margin': 'loss_saliency_margin',
        'part.saliency_rank': 'loss_saliency_rank',
        'loss_saliency': ('loss_saliency_margin', 'loss_saliency_rank'),
        'loss_align': 'loss_align',
        'loss_sim': 'loss_sim',
    }
    match = ('train_out/match_aux{layer}', 'train_out/match_last')
    valid = (
        r'(train_)?out/saliency_scores|out/mid\.(v2t_extractor|t2v_encoder|convolutional_block|'
        r'transformer_encoder\d)'
    )

    @classmethod
    def model_config(cls, base: dict, data: ReferenceSet, run: Run | None = None) -> Any:
        """With as many loops as the run has."""
        cfg = super().model_config(base, data, run)
        return set_options(cfg, _loops(data)) if run is not None and run.kind == 'loop' else cfg

    def tolerance(self, name: str) -> float:
        """Logits and states may be off by more, see the description of the set."""
        loose = ('logits', 'decoder_states', 'encoder', 'convolutional_block')
        return 1e-4 if any(part in name for part in loose) else super().tolerance(name)

    @torch.no_grad()
    def predicted(self, state: GroundingState, records: list[dict[str, Any]]) -> Outputs:
        """Tokens behind every part, decoder layers, predictions and clip scores."""
        summary = self.model.slots['feedback.moments'].summary
        video = (state.projected_video, state.video_mask)
        inner, passes = self.head.decoder.decoder, []
        hook = inner.register_forward_hook(lambda _, __, found: passes.append(found))
        self.model.run(state, ['moment_head'])
        hook.remove()
        first = self.model.run(state, ['encoder.first'])
        blocks = self.model.run(first, ['encoder.blocks'])
        calls: Outputs = {}
        for index, found in enumerate(passes):
            suffix = f'__call{index}' if index else ''
            calls[f'out/mid.decoder_states{suffix}'] = found.normed
            calls[f'out/mid.decoder_references{suffix}'] = found.references
        return {
            'out/mid.video_encoder': state.projected_video,
            'out/mid.text_encoder': state.projected_text,
            'out/mid.v2t_extractor': state.video,
            'out/mid.t2v_encoder': (state.fused, self.clips),
            'out/mid.transformer_encoder1': (first.memory, self.clips),
            'out/mid.convolutional_block': (blocks.memory, self.clips),
            'out/mid.transformer_encoder2': (state.memory, self.clips),
            'out/mid.gru': summary.summarize(*video, state.spans, state.span_scores),
            'out/saliency_scores': state.saliency,
            **calls,
            **self.queries(state),
        }

    def trained(self, step: Step) -> Outputs:
        """Predictions with the statistics of the batch, and what a step changes."""
        # The released code gives both alignments in evaluation too, where they are the same.
        found = {
            f'out/{name}': step.losses[name] / self.weight(name)
            for name in ('loss_align', 'loss_sim')
        }
        shown = {**self.queries(step.state), 'out/saliency_scores': step.state.saliency}
        found |= {f'train_{key}': value for key, value in shown.items()}
        here = self.model.state_dict()
        for key, value in self.data.below(f'{self.prefix}after/').items():
            # The step itself is not in the released state.
            (ours,) = set(convert_state_dict(self.system, {key: value})) - {_STEPS}
            found[f'after/{key}'] = here[ours].detach().clone()
        return found

    def more(self) -> Iterator[Row]:
        """Also the alignment in its warm-up, at the fourth of ten batches."""
        yield from super().more()
        stored = self.get('loss/warmup.loss_align')
        if stored is None:
            return
        model = copy.deepcopy(self.model)
        model.load_state_dict(convert_state_dict(self.system, self.stored_weights()))
        component = model.slots[_DISTILLATION]
        component.warmup_steps = 10
        component.steps.fill_(3)
        loss = train_step(model, self.batch).losses['loss_align']
        name = 'loss/warmup.loss_align'
        yield compare(self.name(name), loss / self.weight('loss_align'), stored, 1e-5)

    @classmethod
    def whole_set(cls, data: ReferenceSet, base: dict) -> Iterator[Row]:
        """Also every sample of the padded batch against the sample alone in the released code."""
        yield from super().whole_set(data, base)
        for prefix, kind in (('', ''), ('loop/', 'loop')):
            if f'{prefix}alone0/out/pred_spans' not in data:
                continue
            run = Run(prefix, cls.padded(data), cls.clean, kind)
            yield from cls(data, base, run).alone()

    def alone(self) -> Iterator[Row]:
        """Every row of the batch against the sample alone."""
        state, _ = predict(self.model, self.batch)
        found: dict[str, Tensor] = {
            **self.queries(state),
            'out/saliency_scores': state.saliency,
        }
        for index, mask in enumerate(self.batch['video_mask']):
            for key, value in found.items():
                stored = self.get(f'alone{index}/{key}')
                if stored is not None:
                    ours = value[index][mask] if 'saliency' in key else value[index]
                    name = self.name(f'alone{index}/{key}')
                    yield compare(name, ours, stored, self.tolerance(key))


_STEPS = f'{_DISTILLATION}.steps'
