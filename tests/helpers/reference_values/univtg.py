# SPDX-License-Identifier: Apache-2.0
"""UniVTG against values of its released code."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vtg.models import Grounder
from vtg.structures import GroundingState, MomentList, xx_to_cxw

from .common import (
    LOSS_TOLERANCE,
    OUTPUT_TOLERANCE,
    SCORE_TOLERANCE,
    Step,
    build_converted,
    check_gradients,
    check_padding,
    copy_config,
    predict,
    train_step,
)
from .core import ReferenceSet, Row, compare, compare_relative

SYSTEM = 'univtg'
TERMS = {
    'loss_f': 'loss_label',
    'loss_b': 'loss_span',
    'loss_g': 'loss_giou',
    'loss_s_inter': 'loss_saliency_inter',
    'loss_s_intra': 'loss_saliency_intra',
}
# Padded batches were computed with another tolerance.
PADDED_TOLERANCE = 1e-4


def model_config(base: dict, data: ReferenceSet) -> dict:
    """Give the model of a config the sizes and weights of a reference set."""
    sizes, weights = data.info['config'], data.info['loss_weights']
    cfg = copy_config(base)
    cfg.defaults.update(
        dim=sizes['hidden_dim'], num_heads=sizes['nheads'], hidden_dim=sizes['dim_feedforward']
    )
    cfg.video_projector.update(
        in_dim=data['in/src_vid'].shape[-1], num_layers=sizes['n_input_proj']
    )
    cfg.text_projector.update(in_dim=data['in/src_txt'].shape[-1], num_layers=sizes['n_input_proj'])
    cfg.encoder.num_layers = sizes['enc_layers']
    for name in ('inter', 'intra'):
        cfg.saliency_head.losses[name].update(
            temperature=sizes['temperature'], weight=weights[f'loss_s_{name}']
        )
    # The timestamps of the released code, in clips: half of the seconds per clip.
    clip_length = (data['in/duration'] / data['in/src_vid_mask'].sum(dim=1)).mean()
    cfg.moment_head.anchor_offset = float(clip_length) / 2
    cfg.moment_head.background_weight = sizes['eos_coef']
    cfg.moment_head.loss_weights = dict(
        label=weights['loss_f'], span=weights['loss_b'], giou=weights['loss_g']
    )
    return cfg


def batch_of(data: ReferenceSet, prefix: str) -> dict[str, Any]:
    """Return stored inputs in the form of a collated batch."""
    stored = data.below(f'{prefix}in/')
    batch = len(stored['src_vid'])
    windows = [stored[f'windows_sec_{i}'] / stored['duration'][i] for i in range(batch)]
    spans = torch.full((batch, max(map(len, windows)), 2), 0.5)
    span_mask = torch.zeros(spans.shape[:2], dtype=torch.bool)
    for index, window in enumerate(windows):
        spans[index, : len(window)] = xx_to_cxw(window)
        span_mask[index, : len(window)] = True
    saliency = stored['saliency_scores']
    return {
        'video': stored['src_vid'],
        'video_mask': stored['src_vid_mask'].bool(),
        'text': stored['src_txt'],
        'text_mask': stored['src_txt_mask'].bool(),
        'duration': stored['duration'],
        'targets': {
            'spans': spans,
            'span_mask': span_mask,
            'saliency': saliency,
            'relevant': (stored['timestamp_window'] > 0) | (saliency > 0),
            'pos_clips': stored['saliency_pos_labels'],
            'neg_clips': stored['saliency_pos_labels'],
            'source_id': torch.arange(batch),
        },
        'meta': [{'qid': i, 'query': '', 'vid': str(i)} for i in range(batch)],
    }


def check(folder: str | Path, base: dict) -> Iterator[Row]:
    """Compare the set ``univtg``, without and with padding.

    Args:
        folder: Where ``univtg.npz`` and ``univtg.json`` lie.
        base: The model config with all official quirks.
    """
    data = ReferenceSet(folder, SYSTEM)
    cfg = model_config(base, data)
    model = build_converted(cfg, SYSTEM, data.below('sd/'))
    for prefix in ('nopad/', ''):
        batch = batch_of(data, prefix)
        step = train_step(model, batch)
        tolerance = OUTPUT_TOLERANCE if prefix else PADDED_TOLERANCE
        yield from check_outputs(data, prefix, model, step.state, tolerance)
        yield from check_losses(data, prefix, step)
        yield from check_gradients(model, SYSTEM, data, prefix)
        yield from check_reports(data, prefix, model, batch)
    cfg.moment_head.mask_padding = True
    model = build_converted(cfg, SYSTEM, data.below('sd/'))
    yield from check_padding(model, batch_of(data, ''))


def check_outputs(
    data: ReferenceSet, prefix: str, model: Grounder, state: GroundingState, tolerance: float
) -> Iterator[Row]:
    """Compare what the model computes for valid clips and words."""
    mask = state.video_mask
    outputs = state.moment_outputs['clips']
    found = {
        'out/pred_logits': outputs.logits.sigmoid().unsqueeze(-1),
        'out/pred_spans': outputs.spans - outputs.anchors.unsqueeze(-1),
        'out/vid_mem_proj': state.video,
        'out/saliency_scores': state.saliency,
        'in/timestamp': outputs.anchors.unsqueeze(-1).expand(-1, -1, 2),
        'mid/position_embed': state.video_pos,
        'mid/input_vid_proj': state.projected_video,
    }
    for name, ours in found.items():
        if f'{prefix}{name}' in data:
            theirs = data[f'{prefix}{name}']
            yield compare(f'{prefix}{name}', ours[mask], theirs[mask], tolerance)
    for name, ours, valid in (
        ('out/txt_mem_proj', state.sentence.unsqueeze(1), ...),
        ('mid/input_txt_proj', state.projected_text, state.text_mask),
    ):
        if f'{prefix}{name}' in data:
            theirs = data[f'{prefix}{name}']
            yield compare(f'{prefix}{name}', ours[valid], theirs[valid], tolerance)
    valid = torch.cat((mask, state.text_mask), dim=1)
    tokens = torch.cat((state.fused, state.fused_text), dim=1)
    position = torch.cat((state.video_pos, state.text_pos), dim=1)
    first = model.slots['encoder'].layers.layers[0](tokens, valid, position)
    last = torch.cat((state.memory, state.memory_text), dim=1)
    for name, ours in (('mid/encoder_layer0', first), ('mid/encoder', last)):
        if f'{prefix}{name}' in data:
            theirs = data[f'{prefix}{name}'].transpose(0, 1)
            yield compare(f'{prefix}{name}', ours[valid], theirs[valid], tolerance)


def check_losses(data: ReferenceSet, prefix: str, step: Step) -> Iterator[Row]:
    """Compare the terms, weighted and not, and the total."""
    weights = data.info['loss_weights']
    for theirs, ours in TERMS.items():
        if weights[theirs] == 0:
            for key in (f'loss/{theirs}', f'loss_w/{theirs}'):
                yield Row(f'{prefix}{key}', None, note='weight 0')
            continue
        value = step.losses[ours]
        for key, factor in ((f'loss/{theirs}', weights[theirs]), (f'loss_w/{theirs}', 1.0)):
            stored = data[f'{prefix}{key}']
            yield compare_relative(
                f'{prefix}{key}', value.detach() / factor, stored, LOSS_TOLERANCE
            )
    stored = data[f'{prefix}loss/total']
    yield compare_relative(f'{prefix}loss/total', step.total.detach(), stored, LOSS_TOLERANCE)


def check_reports(
    data: ReferenceSet, prefix: str, model: Grounder, batch: dict[str, Any]
) -> Iterator[Row]:
    """Compare moments before and after the suppression, and clip scores."""
    state, records = predict(model, batch)
    moments: MomentList = model.slots['moment_head'].predict(state)['clips']
    for index, record in enumerate(records):
        length = int(state.video_mask[index].sum())
        table = torch.cat((moments.spans[index], moments.scores[index, :, None]), dim=-1)
        yield from _check_windows(data, f'{prefix}out/decoded_windows_{index}', table[:length])
        windows = torch.tensor(record['pred_relevant_windows'])
        yield from _check_windows(data, f'{prefix}out/decoded_windows_nms_{index}', windows)
        scores = torch.tensor(record['pred_saliency_scores'])
        name = f'{prefix}out/decoded_saliency_add'
        # One unit of float16 where two float32 results fall on different sides of a tie.
        yield compare(f'{name}/{index}', scores, data[name][index, :length], 1e-3)
        name = f'{prefix}out/decoded_saliency_plain'
        plain = (state.saliency - state.foreground)[index, :length]
        yield compare(f'{name}/{index}', plain, data[name][index, :length], 1e-3)


def _check_windows(data: ReferenceSet, name: str, ours: Tensor) -> Iterator[Row]:
    theirs = data[name][: len(ours)]
    yield compare(f'{name} seconds', ours[:, :2], theirs[:, :2], 1e-3, scaled=False)
    yield compare(f'{name} scores', ours[:, 2], theirs[:, 2], SCORE_TOLERANCE, scaled=False)
