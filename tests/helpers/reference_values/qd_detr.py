# SPDX-License-Identifier: Apache-2.0
"""QD-DETR against values of its released code, without and with audio."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from vtg.structures import GroundingTargets

from .common import LOSS_TOLERANCE, OUTPUT_TOLERANCE, check_padding, copy_config, train_step
from .core import ReferenceSet, Row, compare
from .detr import DetrCase, resize_detr

SALIENCY = {
    'saliency_margin': 'loss_saliency_margin',
    'saliency_rank': 'loss_saliency_rank',
    'saliency_negpair': 'loss_saliency_negative',
}


def check(folder: str | Path, base: dict, name: str = 'qd_detr') -> Iterator[Row]:
    """Compare a set: without padding, with it as released, and with it as meant.

    Args:
        folder: Where the set lies.
        base: The model config with all official quirks.
        name: ``'qd_detr'`` or ``'qd_detr_audio'``.
    """
    data = ReferenceSet(folder, name)
    cfg = resize_detr(base, data)
    meant = copy_config(cfg)
    meant.fusion.mask_layout = 'correct'
    for prefix, model_cfg in (('nopad/', cfg), ('', cfg), ('cleanmask/', meant)):
        inputs = '' if prefix == 'cleanmask/' else prefix
        case = DetrCase(data, model_cfg, 'qd_detr', prefix, inputs)
        yield from case.check_outputs()
        yield from case.check_decoded()
        yield from case.check_losses(SALIENCY)
        yield from case.check_gradients()
        if prefix == 'cleanmask/':
            yield from _check_corrected(case)
        yield from _check_highlights(case, inputs)
        for key in data.below(f'{prefix}out/fixmask_'):
            case.get(f'out/fixmask_{key}')  # compared by _check_corrected
        yield from case.check_rest()
    yield from check_padding(case.model, case.batch)


def _check_corrected(case: DetrCase) -> Iterator[Row]:
    """Compare the copies with the corrected mask that lie beside the released outputs."""
    predictions, mask = case.outputs.predictions.last(), case.mask
    found = {
        'pred_logits': (predictions.logits, ...),
        'pred_spans': (predictions.spans, ...),
        'saliency_scores': (case.state.saliency, mask),
        'saliency_scores_neg': (case.step.state.negative.saliency, mask),
    }
    for name, (ours, where) in found.items():
        key = f'out/fixmask_{name}'
        yield compare(key, ours.detach()[where], case.data[key][where], OUTPUT_TOLERANCE)


def _check_highlights(case: DetrCase, inputs: str) -> Iterator[Row]:
    """Compare the saliency loss on labels in the form of TVSum: one pair, real-valued labels."""
    stored = case.get('loss/tvsum.loss_saliency')
    if stored is None:
        return
    labels = case.data.below(f'{inputs}in/tvsum.')

    def highlights(targets: GroundingTargets) -> GroundingTargets:
        return replace(
            targets,
            saliency=labels['saliency_all_labels'].float(),
            pos_clips=labels['saliency_pos_labels'],
            neg_clips=labels['saliency_neg_labels'],
        )

    step = train_step(case.model, case.batch, highlights)
    total = sum(step.losses[name] for name in SALIENCY.values())
    weight = case.data.info['weights']['loss_saliency']
    name = f'{case.prefix}loss/tvsum.loss_saliency'
    yield compare(name, total.detach() / weight, stored, LOSS_TOLERANCE)
