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
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from vtg.conversion import CONVERSIONS
from vtg.engine.hooks import EpochEMAHook
from vtg.models.feedback import highlight_mask, moment_coverage, moment_gain
from vtg.structures import GroundingState, Progress, cxw_to_xx

from .common import (
    GRADIENT_TOLERANCE,
    LOSS_TOLERANCE,
    SCORE_TOLERANCE,
    Step,
    build_converted,
    check_padding,
    gradient_norm,
    predict,
    train_step,
)
from .core import ReferenceSet, Row, compare, compare_exact, compare_relative
from .taskweave_cases import EPOCHS, SCENARIOS, SYSTEM, VARIANTS, Case

# Of batches without padding: logits, and the rest; then of padded batches.
LOGIT_TOLERANCE = 5e-5
TOLERANCE = 1e-5
PADDED_TOLERANCE = 1e-4
# Norms below this are float noise around zero and compared absolutely.
SMALL_NORM = 1e-4


def check(folder: str | Path, base: dict) -> Iterator[Row]:
    """Compare every stored quantity.

    Args:
        folder: Where ``taskweave.npz`` and ``taskweave.json`` lie.
        base: The model config with all official quirks.
    """
    data = ReferenceSet(folder, SYSTEM)
    for variant in VARIANTS:
        for scenario in SCENARIOS:
            case = Case(data, base, variant, scenario)
            state, records = predict(case.model, case.batch)
            yield from check_outputs(case, state)
            yield from check_predictions(case, state, records)
            yield from check_training(case)
    # The corrected convolution alone, as the plain keys have it.
    case = Case(data, base, 'clean/', 'no_feedback')
    case.cfg.fusion.mask_layout = 'tiled'
    case.model = build_converted(case.cfg, SYSTEM, data.below('sd/'))
    case.model.progress = Progress(0, EPOCHS)
    case.variant, case.scenario = '', 'corrected_conv_mask'
    yield from check_outputs(case, predict(case.model, case.batch)[0])
    yield from check_training(case)
    for scenario in SCENARIOS:
        case = Case(data, base, '', scenario, quirks=False)
        yield from check_padding(case.model, case.batch, f'padding/{scenario}/')
    yield from check_units(data)


def check_outputs(case: Case, state: GroundingState) -> Iterator[Row]:
    """Compare what an inference run computes, padded positions included."""
    outputs = state.moment_outputs['queries']
    layers = outputs.predictions
    found = {
        'pred_logits': layers.logits[-1],
        'pred_spans': layers.spans[-1],
        'saliency_scores': state.saliency,
    }
    for layer in range(len(layers.spans) - 1):
        found[f'aux_{layer}/pred_logits'] = layers.logits[layer]
        found[f'aux_{layer}/pred_spans'] = layers.spans[layer]
    yield from _compare_all(case, 'out', found)

    mask = state.video_mask
    counted = mask if 'nopad' in case.variant else torch.ones_like(mask)
    found = {'xi': highlight_mask(state.saliency, counted)}
    if case.scenario.endswith('mr2hd'):
        sizes = (state.spans, counted.sum(dim=1), mask.shape[1])
        found = {'xi': moment_gain(*sizes), 'count': moment_coverage(*sizes)}
    yield from _compare_all(case, 'mid', found)


def _compare_all(case: Case, kind: str, found: dict[str, Tensor]) -> Iterator[Row]:
    stored = case.stored(kind)
    for key, ours in found.items():
        if key in stored:
            tolerance = LOGIT_TOLERANCE if key.endswith('logits') else TOLERANCE
            if 'nopad' not in case.variant:
                tolerance = PADDED_TOLERANCE
            yield compare(case.name(kind, key), ours, stored[key], tolerance)


def check_predictions(
    case: Case, state: GroundingState, records: list[dict[str, Any]]
) -> Iterator[Row]:
    """Compare the decoded windows, before and after post-processing, and the reported scores."""
    stored = case.stored('pred')
    head = case.model.slots['moment_head']
    raw = head.ranked(state)
    if 'windows_raw' in stored:
        yield from _compare_windows(
            case, 'windows_raw', torch.cat((raw.spans, raw.scores[..., None]), -1), 1e-3
        )
    if 'windows' in stored:
        ours = torch.tensor([record['pred_relevant_windows'] for record in records])
        yield from _compare_windows(case, 'windows', ours, 1e-4)
    if 'windows_by_query' in stored:
        seconds = cxw_to_xx(state.spans) * state.duration[:, None, None]
        ours = torch.cat((seconds, state.span_scores[..., None]), -1)
        yield from _compare_windows(case, 'windows_by_query', ours, 1e-3)
    if 'saliency_half' in stored:
        for index, (record, theirs) in enumerate(zip(records, stored['saliency_half'])):
            ours = torch.tensor(record['pred_saliency_scores'])
            name = case.name('pred', f'saliency_half/{index}')
            # One unit of float16 where two float32 results fall on different sides of a tie.
            yield compare(name, ours, theirs[: len(ours)].float(), 1e-3)


def _compare_windows(case: Case, key: str, ours: Tensor, seconds: float) -> Iterator[Row]:
    theirs, name = case.stored('pred')[key], case.name('pred', key)
    yield compare(f'{name} seconds', ours[..., :2], theirs[..., :2], seconds, scaled=False)
    yield compare(f'{name} scores', ours[..., 2], theirs[..., 2], SCORE_TOLERANCE, scaled=False)


def check_training(case: Case) -> Iterator[Row]:
    """Compare the passes, negatives, matches, losses and gradients of a training step."""
    passes: list[GroundingState] = []
    neck = case.model.slots['neck']
    hook = neck.register_forward_hook(lambda _, args, out: passes.append(args[0].update(**out)))
    step = train_step(case.model, case.batch)
    hook.remove()
    negative = step.state.negative
    yield from _compare_all(case, 'out', {'saliency_scores_neg': negative.saliency})
    for index, state in enumerate(passes):
        yield from _check_pass(case, f'call{index}', state)
    if case.stored('loss'):
        yield from _check_matches(case, step)
        yield from _check_losses(case, step)
        yield from _check_gradients(case)


@torch.no_grad()
def _check_pass(case: Case, call: str, state: GroundingState) -> Iterator[Row]:
    """Compare what one run of the trunk gave, and what the decoder makes of it."""
    neck, mask, position = case.model.slots['neck'], state.video_mask, state.video_pos
    convolved: list[Tensor] = []
    hook = neck.moment_expert.norm.register_forward_pre_hook(
        lambda _, args: convolved.append(args[0])
    )
    maps = {'mr': neck.moment_map(state.memory), 'hd': neck.saliency_map(state.memory)}
    found = {
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
    outputs = case.model.slots['moment_head'].decode(state)
    found |= {'hs': outputs.normed, 'reference': outputs.predictions.references}
    t2v = case.stored('mid').get(f'{call}/t2v')  # the words stand behind the clips
    if t2v is not None:
        ours, theirs = state.fused, t2v[:, : state.fused.shape[1]]
        yield compare(case.name('mid', f'{call}/t2v'), ours, theirs, PADDED_TOLERANCE)
    yield from _compare_all(case, 'mid', {f'{call}/{key}': ours for key, ours in found.items()})


def _stage_names(count: int) -> list[str]:
    return [*(f'aux_{layer}' for layer in range(count - 1)), 'last']


def _check_matches(case: Case, step: Step) -> Iterator[Row]:
    stored, stages = case.stored('match'), step.matches[0]
    for stage, name in zip(stages, _stage_names(len(stages))):
        for sample, index in enumerate(stage.tolist()):
            key = f'{name}/{sample}'
            if key in stored:
                ours = {(q, g) for g, q in enumerate(index) if q >= 0}
                theirs = set(map(tuple, stored[key].T.tolist()))
                yield compare_exact(case.name('match', key), ours, theirs)


def raw_losses(case: Case, step: Step) -> dict[str, Tensor]:
    """The unweighted terms before balancing, and what the released code logs, by its names."""
    slots, state = case.model.slots, step.state
    moment = slots['moment_head'].loss(state)
    saliency = slots['saliency_head'].loss(state)
    found = {
        'saliency_hinge': saliency['loss_saliency_margin'],
        'saliency_rank_contrastive': saliency['loss_saliency_rank'],
        'saliency_neg_pair': saliency['loss_saliency_negative'],
        'loss_saliency': sum(saliency.values()),
        'group_hd': sum(saliency.values()),
        'group_mr': sum(moment.values()),
        'joint': step.total,
        **moment,
    }
    weights = case.data.info['weights']
    terms = {**moment, 'loss_saliency': found['loss_saliency']}
    found['weighted_sum'] = sum(weights.get(name, 1) * value for name, value in terms.items())
    logits = state.moment_outputs['queries'].predictions.logits
    for stage, index, name in zip(logits, step.matches[0], _stage_names(len(logits))):
        suffix = '' if name == 'last' else f'_{name.removeprefix("aux_")}'
        right = (stage[..., 0] > stage[..., 1]).gather(1, index.clamp(min=0))[index >= 0]
        found[f'class_error{suffix}'] = 100 - 100 * right.float().mean()
    return found


def _check_losses(case: Case, step: Step) -> Iterator[Row]:
    found = raw_losses(case, step)
    for key, theirs in case.stored('loss').items():
        tolerance = LOSS_TOLERANCE if 'nopad' in case.variant else PADDED_TOLERANCE
        if key.startswith('class_error'):
            tolerance = 1e-3  # per cent of a few queries
        # Errors relative to the term where it is above 1.
        yield compare(case.name('loss', key), found[key], theirs, tolerance)


def _check_gradients(case: Case) -> Iterator[Row]:
    names = case.data.info.get('param_names') or case.data.arrays['grad/param_names'].tolist()
    stored, rename = case.stored('grad'), CONVERSIONS[SYSTEM].rename
    worst, place = 0.0, ''
    for key, theirs in zip(names, stored['param_norms'].tolist()):
        ours = rename(key)
        if ours is None or theirs < 0:  # never used
            continue
        difference = abs(gradient_norm(case.model, {ours}) - theirs)
        # Around zero, an error of SMALL_NORM is as large as the tolerance.
        scale = theirs if theirs > SMALL_NORM else SMALL_NORM / GRADIENT_TOLERANCE
        error = difference / scale
        if error >= worst:
            worst, place = error, f'largest error at {key}'
    yield Row(case.name('grad', 'param_norms'), worst, GRADIENT_TOLERANCE, place)
    for key, theirs in stored.items():
        module = key.removeprefix('module/')
        if module == 'param_norms':
            continue
        inside = [
            name
            for name in names
            if key == 'total_norm' or name == module or name.startswith(f'{module}.')
        ]
        ours = gradient_norm(case.model, {rename(name) for name in inside} - {None})
        name = case.name('grad', key)
        if float(theirs) > SMALL_NORM:
            yield compare_relative(name, ours, theirs, GRADIENT_TOLERANCE)
        else:
            yield compare(name, torch.tensor(ours), theirs.float(), SMALL_NORM)


def check_units(data: ReferenceSet) -> Iterator[Row]:
    """Compare the conversion of moments to a gain at full size, and the average of weights."""
    count = data['unit/m2m/count']
    batch, clips = count.shape
    sizes = (data['unit/m2m/spans'], torch.full((batch,), clips), clips)
    yield compare('unit/m2m/count', moment_coverage(*sizes), count, 1e-6)
    yield compare('unit/m2m/xi', moment_gain(*sizes), data['unit/m2m/xi'], 1e-6)

    weights = data['unit/ema/weights']
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
    yield compare('unit/ema/ema', torch.stack(averages), data['unit/ema/ema'], 1e-6)
