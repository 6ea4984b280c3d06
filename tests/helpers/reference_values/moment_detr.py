# SPDX-License-Identifier: Apache-2.0
"""Moment-DETR against values of its released code."""

from collections.abc import Iterator
from pathlib import Path

import torch

from .common import check_padding
from .core import ReferenceSet, Row
from .detr import DetrCase, resize_detr

SALIENCY = {'saliency_margin': 'loss_saliency_margin'}
ALIGNMENT = {'loss_contrastive_align': 'loss_align'}


def check(folder: str | Path, base: dict) -> Iterator[Row]:
    """Compare the padded and the unpadded batch of the set ``moment_detr``.

    Args:
        folder: Where the set lies.
        base: The model config with all official quirks.
    """
    data = ReferenceSet(folder, 'moment_detr')
    cfg = resize_detr(base, data)
    if data.info['config']['contrastive_align_loss']:
        cfg.moment_head.alignment = dict(type='QueryTextAlignment', mask_padding=False)
        cfg = resize_detr(cfg, data)
    for prefix in ('nopad/', ''):
        case = DetrCase(data, cfg, 'moment_detr', prefix)
        yield from case.check_outputs()
        yield from _check_embeddings(case)
        yield from case.check_decoded()
        yield from case.check_losses(SALIENCY, ALIGNMENT)
        yield from case.check_gradients()
        yield from case.check_rest()
    if cfg.moment_head.get('alignment') is not None:
        cfg.moment_head.alignment.mask_padding = True
    yield from check_padding(DetrCase(data, cfg, 'moment_detr', '').model, case.batch)


def _check_embeddings(case: DetrCase) -> Iterator[Row]:
    alignment = case.head.alignment
    if alignment is None:
        return
    with torch.no_grad():
        queries, words = alignment.embed(case.outputs.normed, case.state)
    for suffix, layer in case.aux.items():
        name = 'out/' + (f'aux{layer}_' if suffix else '')
        yield from case.row(f'{name}proj_queries', queries[layer])
        yield from case.row(f'{name}proj_txt_mem', words)
    yield from case.skip('out/proj_vid_mem', 'official-only: no loss reads it')
