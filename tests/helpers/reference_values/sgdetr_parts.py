# SPDX-License-Identifier: Apache-2.0
"""Single parts of SG-DETR against public code of the methods that it uses.

The set is older than the released code of SG-DETR. A part is compared where the component here
offers the stored variant, which need not be the one that SG-DETR uses; the rest is skipped.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence

from vtg.models.layers import RawAttention, amplify
from vtg.models.losses import (
    MarginPairLoss,
    NegativePairLoss,
    RankContrastiveLoss,
    SaliencyBCELoss,
)
from vtg.models.task_modules import (
    DenoisingGenerator,
    assign_rows,
    query_group_mask,
)
from vtg.pretraining import label_moments
from vtg.structures import GroundingState, GroundingTargets

from .core import ReferenceSet, Row, compare, compare_exact, compare_relative
from .sgdetr_spans import (
    cases_of,
    check_assignment,
    check_decoding,
    check_fusion,
    check_overlaps,
)

LOSS_TOLERANCE = 1e-5
ATTENTION_TOLERANCE = 1e-4


def check_losses(data: ReferenceSet) -> Iterator[Row]:
    """Losses on clip scores; margin and negative pairs in the variants of earlier systems."""
    inputs = data.below('in/hl/')
    mask, labels = inputs['mask'].bool(), inputs['labels']
    blank = torch.zeros(*mask.shape, 1, dtype=labels.dtype)
    targets = GroundingTargets(
        spans=blank,
        span_mask=mask,
        saliency=labels,
        relevant=labels > 0,
        pos_clips=inputs['pos_idx'],
        neg_clips=inputs['neg_idx'],
        source_id=torch.arange(len(mask)),
        duration=mask.sum(1),
        num_clips=mask.sum(1),
    )
    constants = data.info['constants']
    losses = {
        'marg': MarginPairLoss(constants['saliency_margin']),
        'rctl': RankContrastiveLoss(constants['rank_tau']),
        'bce_pos': SaliencyBCELoss(),
        'bce_neg': NegativePairLoss('sum'),
    }
    for key, stored in data.below('loss/hl/').items():
        case, term = key.split('/')
        valid = inputs[f'{case}/neg_ok'].bool()
        if term == 'rctl' and not valid.all():
            note = 'superseded: the released code averages samples without a negative apart'
            yield Row(f'loss/hl/{key}', None, note=note)
            continue
        state = GroundingState(
            blank, mask, blank, mask, targets.duration, targets=targets, negative_valid=valid
        )
        ours = losses[term](inputs['S'], state, inputs['S_neg'])
        yield compare_relative(f'loss/hl/{key}', ours, stored, LOSS_TOLERANCE)


def check_attention(data: ReferenceSet) -> Iterator[Row]:
    """The gate of the saliency-guided attention, with projections outside; the amplifier."""
    inputs, weights = data.below('in/sgca/'), data.below('sd/sgca.')
    parts = zip(weights['in_proj_weight'].chunk(3), weights['in_proj_bias'].chunk(3))
    attention = RawAttention(
        weights['out_proj.weight'].shape[0], data.info['constants']['sgca_heads'], dropout=0.0
    )
    kept = {k: v for k, v in weights.items() if k.startswith('out_proj.')}
    attention.load_state_dict(kept)
    sources = (inputs['video'], inputs['text'], inputs['text'])
    with torch.no_grad():
        ours = attention(
            *(F.linear(source, *part) for source, part in zip(sources, parts)),
            key_mask=inputs['text_mask'].bool(),
            gate=inputs['S_local'].sigmoid(),
        )
    yield compare('out/sgca/out', ours, data['out/sgca/out'], ATTENTION_TOLERANCE)
    yield Row('out/sgca/attn_mean', None, note='not exposed; the output follows from it')
    ours = amplify(inputs['video'], inputs['S_local'])
    yield compare('out/sa/amplified', ours, data['out/sa/amplified'], ATTENTION_TOLERANCE)


def check_denoising(data: ReferenceSet) -> Iterator[Row]:
    """Slots of the denoising queries and who may see whom, on the slots in use."""
    config = data.info['config']['cdn']
    inputs, outputs = data.below('in/cdn/'), data.below('out/cdn/')
    gts = [inputs[f'gt{index}'] for index in range(len(inputs['co_valid']))]
    counts = torch.tensor([len(gt) for gt in gts])
    gt_mask = torch.arange(config['max_gt']) < counts[:, None]
    generator = DenoisingGenerator(
        config['num_groups'] * 2 * config['max_gt'], config['noise_scale'], negative_offset=1.0
    )
    noise = inputs['sign'], inputs['part']
    queries = generator(pad_sequence(gts, batch_first=True), gt_mask, noise)
    yield compare_exact('out/cdn/valid', queries.valid, outputs['valid'].bool())
    yield compare_exact('out/cdn/is_pos', queries.is_positive, outputs['is_pos'].bool())
    ours = torch.where(queries.valid, queries.gt_index, -1)
    yield compare_exact('out/cdn/gt_idx', ours, outputs['gt_idx'])
    yield Row('out/cdn/ref', None, note='superseded: ends that cross are not sorted any more')

    extra = torch.cat((queries.valid, inputs['co_valid'].bool()), dim=1)
    used = F.pad(extra, (0, config['num_match']), value=True)
    sizes = (queries.valid.shape[1], config['num_co'], config['num_match'])
    groups = query_group_mask(sizes[2], sizes[1], queries.group)
    mask = (groups | ~used[:, None]) & ~torch.eye(len(groups), dtype=torch.bool)
    # In the stored mask the denoising queries see the matching ones, here no others do.
    mask[:, : sizes[0], -sizes[2] :] = False
    start = 0
    for name, size in zip(('dn', 'co', 'matching'), sizes):
        rows = slice(start, start + size)
        inside = used[:, rows]
        ours, theirs = mask[:, rows][inside], outputs['blocked'][:, rows][inside].bool()
        yield compare_exact(f'out/cdn/blocked/{name}', ours, theirs)
        start += size


def check_matching(data: ReferenceSet) -> Iterator[Row]:
    """The assignment on the stored costs; the costs themselves are superseded."""
    note = 'superseded: the released cost adds class and quality instead of multiplying them'
    for key, theirs in data.below('out/match/rows').items():
        cost = data[f'out/match/cost{key}'].T[None].numpy()  # (1, G, Q)
        every = np.ones(cost.shape, dtype=bool)
        ours = assign_rows(cost, every[..., 0], every[:, 0])[0]
        found = sorted((query, moment) for moment, query in enumerate(ours.tolist()) if query >= 0)
        yield compare_exact(f'out/match/rows{key}', [q for q, _ in found], theirs.tolist())
        theirs = data[f'out/match/cols{key}'].tolist()
        yield compare_exact(f'out/match/cols{key}', [g for _, g in found], theirs)
        for name in ('cost', 's_det'):
            yield Row(f'out/match/{name}{key}', None, note=note)


def check_pseudo_labels(data: ReferenceSet) -> Iterator[Row]:
    """Moments and grades of the pre-training data."""
    names = {'pos0': 'original', 'pos': 'positive', 'windows': 'windows', 'grade': 'grades'}
    numbers = {'s_min': 's_min', 'mu': 'mean', 'sigma': 'std'}
    for case in cases_of(data, 'intervid'):
        start, end = data[f'in/intervid/{case}/interval'].tolist()
        labels = label_moments(data[f'in/intervid/{case}/sim'].numpy(), start, end)
        for theirs, ours in names.items():
            key = f'out/intervid/{case}/{theirs}'
            yield compare_exact(key, getattr(labels, ours), data[key])
        for theirs, ours in numbers.items():
            key = f'out/intervid/{case}/{theirs}'
            yield compare(key, getattr(labels, ours), data[key], 1e-9)


PARTS: dict[str, Callable[[ReferenceSet], Iterator[Row]]] = {
    'wbf': check_fusion,
    'atss': check_assignment,
    'delta': check_decoding,
    'giou': check_overlaps,
    'hl': check_losses,
    'sgca': check_attention,
    'cdn': check_denoising,
    'match': check_matching,
    'intervid': check_pseudo_labels,
}


def check(folder: str | Path) -> Iterator[Row]:
    """Compare the set ``sgdetr_parts``; a part of it without a rule fails."""
    data = ReferenceSet(folder, 'sgdetr_parts')
    for name in data.info['names']:
        if name in PARTS:
            yield from PARTS[name](data)
        else:
            yield Row(name, float('inf'), 0.0, 'no rule for this part')
