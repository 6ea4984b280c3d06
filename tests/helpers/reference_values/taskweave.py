# SPDX-License-Identifier: Apache-2.0
"""TaskWeave against values of its released code.

The set holds five variants of one model, and five ways of feedback in each:

* no prefix: the released code on a padded batch, which all official options together reproduce;
* ``cleanmask/``: the attention mask in the right order; ``clean/``: the expert's convolution kept
  on real clips as well;
* ``nopad/`` and ``nopad_clean/``: a batch without padding, where padding quirks do nothing. The
  second is the target of the default config.
"""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from vtg.conversion import CONVERSIONS
from vtg.engine.hooks import EpochEMAHook
from vtg.models.feedback import highlight_mask, moment_coverage, moment_gain
from vtg.structures import GroundingState, Progress, cxw_to_xx, separated

from .case import Outputs, Run
from .common import (
    DROP,
    GRADIENT_TOLERANCE,
    Step,
    check_padding,
    gradient_norms,
    train_step,
)
from .core import ReferenceSet, Row, compare
from .detr import SIZES, DetrCase

EPOCHS = 200
# Norms below this are float noise around zero and compared absolutely.
SMALL_NORM = 1e-4

# Options that restore official behaviour; without them the components do what was meant. The stored
# windows leave the video, so `clamp` stays off everywhere.
MASK_LAYOUT = {'fusion.mask_layout': DROP}
CONV_MASK = {'neck.moment_expert.conv_mask': DROP}
QUIRKS = {
    **MASK_LAYOUT,
    **CONV_MASK,
    'encoder.mask_padding': DROP,
    'neck.pool.mask_padding': DROP,
    'neck.moment_expert.mask_padding': DROP,
    'saliency_head.mask_padding': DROP,
    'feedback.moment_guided?.length': DROP,
    'feedback.highlight_guided?.mean_over': DROP,
    'moment_head.decoder.positions.min_width': DROP,
    'moment_head.matcher.costs.giou.eps': DROP,
    'moment_head.losses.giou.eps': DROP,
}
# Which of them a variant does without.
VARIANTS: dict[str, dict[str, Any]] = {
    '': {},
    'cleanmask/': MASK_LAYOUT,
    'clean/': {**MASK_LAYOUT, **CONV_MASK},
    'nopad/': {},
    'nopad_clean/': QUIRKS,
}

MOMENTS_FIRST = ('moment_head', 'feedback.moment_guided', 'saliency_head')
HIGHLIGHTS_FIRST = ('saliency_head', 'feedback.highlight_guided', 'moment_head')
# Order of the last stages and target of the feedback; None: training has not come to it.
SCENARIOS: dict[str, tuple[tuple[str, ...], str | None]] = {
    'no_feedback': (MOMENTS_FIRST, None),
    'mr2hd': (MOMENTS_FIRST, 'clip_gain'),
    'hd2mr': (HIGHLIGHTS_FIRST, 'trunk_input'),
    'paper_mr2hd': (MOMENTS_FIRST, 'saliency_memory'),
    'paper_hd2mr': (HIGHLIGHTS_FIRST, 'decoder_input'),
    # The corrected convolution alone, as the plain keys have it.
    'corrected_conv_mask': (MOMENTS_FIRST, None),
}


class TaskWeaveCase(DetrCase):
    """One variant and one way of feedback, the ``kind`` of the run."""

    system, config = 'taskweave', 'taskweave/qvhl_official.py'
    sizes = {
        **SIZES,
        'fusion.num_layers': 'config.enc_layers',
        'neck.num_layers': 'config.shared_layers',
        'saliency_head.losses.margin.margin': 'config.saliency_margin',
        'moment_head.queries.num_queries': 'config.num_queries',
        'moment_head.decoder.num_layers': 'config.dec_layers',
        'moment_head.losses.label.background_weight': 'config.eos_coef',
        'moment_head.matcher.costs.label.weight': 'config.matcher.cost_class',
        'moment_head.matcher.costs.span.weight': 'config.matcher.cost_span',
        'moment_head.matcher.costs.giou.weight': 'config.matcher.cost_giou',
    }
    runs = (
        *(
            Run(prefix, 'nopad/' if 'nopad' in prefix else '', options, scenario)
            for prefix, options in VARIANTS.items()
            for scenario in SCENARIOS
            if scenario != 'corrected_conv_mask'
        ),
        Run('', '', CONV_MASK, 'corrected_conv_mask'),
    )
    valid, small_norm = '-', SMALL_NORM

    @classmethod
    def model_config(cls, base: dict, data: ReferenceSet, run: Run | None = None) -> Any:
        """The config with sizes and the feedback of a scenario."""
        cfg = super().model_config(base, data, run)
        order, target = SCENARIOS['mr2hd' if run is None else run.kind]
        if order is HIGHLIGHTS_FIRST:
            cfg.saliency_head.after = 'neck'
            cfg.feedback = dict(
                highlight_guided=dict(
                    type='HighlightGuidedFeedback', before='moment_head', mean_over='padded'
                )
            )
        if target is not None:
            next(iter(cfg.feedback.values())).target = target
        return cfg

    def __init__(self, data: ReferenceSet, base: dict, run: Run) -> None:
        super().__init__(data, base, run)
        self.scenario, self.gradients = run.kind, f'grad/{run.kind}/'
        self.model.progress = Progress(0 if SCENARIOS[run.kind][1] is None else 100, EPOCHS)
        self.last, self.aux = f'out/{run.kind}/', f'out/{run.kind}/aux_{{layer}}/'
        self.match = tuple(f'match/{run.kind}/{n}/{{sample}}' for n in ('aux_{layer}', 'last'))

    def tolerance(self, name: str) -> float:
        """Padded batches and logits were computed with other tolerances."""
        if 'class_error' in name:
            return 1e-3  # per cent of a few queries
        if 'nopad' not in self.prefix or name.endswith('/t2v'):
            return 1e-4
        return 5e-5 if name.endswith('logits') else 1e-5

    def predicted(self, state: GroundingState, records: list[dict[str, Any]]) -> Outputs:
        """What an inference run computes, padded positions included."""
        mask = state.video_mask
        counted = mask if 'nopad' in self.prefix else torch.ones_like(mask)
        gain: Outputs = {'xi': highlight_mask(state.saliency, counted)}
        if self.scenario.endswith('mr2hd'):
            sizes = (state.spans, counted.sum(dim=1), mask.shape[1])
            gain = {'xi': moment_gain(*sizes), 'count': moment_coverage(*sizes)}
        return {
            **self.queries(state),
            f'{self.last}saliency_scores': state.saliency,
            **{f'mid/{self.scenario}/{key}': value for key, value in gain.items()},
        }

    def reported(self, state: GroundingState, records: list[dict[str, Any]]) -> Iterator[Row]:
        """Compare windows before and after post-processing, and the reported scores."""
        raw, place = self.head.ranked(state), f'pred/{self.scenario}/'
        seconds = cxw_to_xx(state.spans) * state.duration[:, None, None]
        final = torch.tensor([record['pred_relevant_windows'] for record in records])
        for key, ours, error in (
            ('windows_raw', torch.cat((raw.spans, raw.scores[..., None]), -1), 1e-3),
            ('windows', final, 1e-4),
            ('windows_by_query', torch.cat((seconds, state.span_scores[..., None]), -1), 1e-3),
        ):
            yield from self.windows(place + key, ours, error)
        yield from self.scores(f'{place}saliency_half', records)

    def trained(self, step: Step) -> Outputs:
        """The negatives, and what every pass through the trunk gave."""
        passes, negatives = list[GroundingState](), list[GroundingState]()
        neck, size = self.model.slots['neck'], len(step.state.duration)

        def keep(_: Any, args: Any, out: Any) -> None:
            state, negative = separated(args[0].update(**out), size)
            passes.append(state)
            if len(negative.duration):  # both passes as one batch
                negatives.append(negative)

        hook = neck.register_forward_hook(keep)
        train_step(self.model, self.batch)
        hook.remove()
        found: Outputs = {f'{self.last}saliency_scores_neg': step.state.negative.saliency}
        for index, state in enumerate((*passes, *negatives)):
            values = self.trunk(state)
            found |= {f'mid/{self.scenario}/call{index}/{key}': v for key, v in values.items()}
        return found

    @torch.no_grad()
    def trunk(self, state: GroundingState) -> Outputs:
        """What one pass through the trunk gave, and what the decoder makes of it."""
        neck, mask, position = self.model.slots['neck'], state.video_mask, state.video_pos
        convolved: list[Tensor] = []
        hook = neck.moment_expert.norm.register_forward_pre_hook(
            lambda _, args: convolved.append(args[0])
        )
        maps = {'mr': neck.moment_map(state.memory), 'hd': neck.saliency_map(state.memory)}
        clips = state.fused.shape[1]
        found: Outputs = {
            't2v': (state.fused, lambda stored: stored[:, :clips]),  # words stand behind the clips
            'z_pooled': state.memory,
            'mr_expert': neck.moment_expert(maps['mr'], mask, position),
            'mr_conv': convolved[0],
            'x_mr': state.moment_memory,
            'x_hd': state.saliency_memory,
        }
        hook.remove()
        for task, mapped in maps.items():
            shared = neck.shared(mapped, mask, position)
            found |= {f'{task}_map': mapped, f'shared_{task}': shared}
            found[f'shared_{task}_pooled'] = neck.pool(shared, mask)
        outputs = self.model.slots['moment_head'].decode(state)
        return found | {'hs': outputs.normed, 'reference': outputs.predictions.references}

    def compare_losses(self, step: Step, folder: str = 'loss/') -> Iterator[Row]:
        """Compare the losses of this scenario."""
        slots = self.model.slots
        self.moment = slots['moment_head'].loss(step.state)
        self.saliency = slots['saliency_head'].loss(step.state)
        yield from super().compare_losses(step, f'loss/{self.scenario}/')

    def find_loss(self, step: Step, name: str) -> tuple[Tensor | None, float] | None:
        """The terms before they are balanced, and the sums that the released code logs."""
        hinge = {'hinge': 'margin', 'rank_contrastive': 'rank', 'neg_pair': 'negative'}
        moment, saliency = sum(self.moment.values()), sum(self.saliency.values())
        weights = self.data.info['weights']
        terms = {**self.moment, 'loss_saliency': saliency}
        found = {
            **terms,
            **{
                f'saliency_{theirs}': self.saliency.get(f'loss_saliency_{ours}')
                for theirs, ours in hinge.items()
            },
            'group_hd': saliency,
            'group_mr': moment,
            'joint': step.total,
            'weighted_sum': sum(weights.get(key, 1) * value for key, value in terms.items()),
        }
        return (found[name], 1.0) if name in found else super().find_loss(step, name)

    def more(self) -> Iterator[Row]:
        """Compare the norm of every parameter's gradient."""
        place = f'{self.prefix}{self.gradients}'
        stored = self.data.below(place)
        if 'param_norms' not in stored:
            return
        names = self.data.info.get('param_names') or self.data.arrays['grad/param_names'].tolist()
        rename, norm = CONVERSIONS[self.system].rename, gradient_norms(self.model)
        worst, where = 0.0, ''
        for key, theirs in zip(names, stored['param_norms'].tolist()):
            ours = rename(key)
            if ours is None or theirs < 0:  # never used
                continue
            # Around zero, an error of SMALL_NORM is as large as the tolerance.
            scale = theirs if theirs > SMALL_NORM else SMALL_NORM / GRADIENT_TOLERANCE
            error = abs(norm({ours}) - theirs) / scale
            if not error < worst:
                worst, where = error, f'largest error at {key}'
        yield Row(f'{place}param_norms', worst, GRADIENT_TOLERANCE, where)

    @classmethod
    def whole_set(cls, data: ReferenceSet, base: dict) -> Iterator[Row]:
        """Check padding in every scenario, moments as a gain at full size, and averages."""
        for scenario in list(SCENARIOS)[:5]:
            case = cls(data, base, Run('', cls.padded(data), QUIRKS, scenario))
            yield from check_padding(case.model, case.batch, f'padding/{scenario}/')
        if 'unit/m2m/count' in data:
            count = data['unit/m2m/count']
            sizes = (data['unit/m2m/spans'], torch.full(count.shape[:1], count.shape[1]))
            sizes += (count.shape[1],)
            yield compare('unit/m2m/count', moment_coverage(*sizes), count, 1e-6)
            yield compare('unit/m2m/xi', moment_gain(*sizes), data['unit/m2m/xi'], 1e-6)
        if 'unit/ema/weights' in data:
            averages = averaged(data['unit/ema/weights'])
            yield compare('unit/ema/ema', averages, data['unit/ema/ema'], 1e-6)


def averaged(weights: Tensor) -> Tensor:
    """The averages after every epoch, which ends with the next weights."""
    model = torch.nn.Linear(*weights.shape[:0:-1], bias=False)
    hook, runner = EpochEMAHook(decay=0.9), SimpleNamespace(model=model, iter=0, epoch=0)
    model.load_state_dict({'weight': weights[0]})
    hook.before_run(runner)
    hook.before_train(runner)
    averages = [hook.ema_model.module.weight.clone()]
    for weight in weights[1:]:
        model.load_state_dict({'weight': weight})
        hook.after_train_epoch(runner)
        averages.append(hook.ema_model.module.weight.clone())
    return torch.stack(averages)
