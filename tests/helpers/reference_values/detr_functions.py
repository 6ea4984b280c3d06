# SPDX-License-Identifier: Apache-2.0
"""Functions that the DETR-like systems share against values of the released code."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vtg.datasets.features import normalize_rows
from vtg.models.layers import inverse_sigmoid, sine_clip_positions, sine_span_embedding
from vtg.models.losses import MarginPairLoss, NegativePairLoss, RankContrastiveLoss
from vtg.models.projectors import LinearProjector
from vtg.models.task_modules import HungarianMatcher, MatchInputs, PostProcessor, temporal_nms
from vtg.structures import (
    GroundingState,
    GroundingTargets,
    MomentList,
    generalized_iou_pairwise,
    iou_pairwise,
    xx_to_cxw,
)

from .batches import pad_spans
from .common import check_matches
from .core import ReferenceSet, Row, compare

TOLERANCE = 1e-5


def check(folder: str | Path, base: dict | None = None) -> Iterator[Row]:
    """Compare every function of the set ``detr_functions``; no model is needed."""
    data = ReferenceSet(folder, 'detr_functions')
    yield from _check_arithmetic(data)
    yield from _check_projector(data)
    yield _check_matching(data)
    yield from _check_post_processing(data)
    yield from _check_saliency(data)


def _check_arithmetic(data: ReferenceSet) -> Iterator[Row]:
    mask = data['in/sine.mask'].bool()
    for key in data:
        match = re.fullmatch(r'out/(sine|refsine)\.d(\d+)', key)
        if match and match[1] == 'sine':
            yield compare(key, sine_clip_positions(mask, int(match[2])), data[key], TOLERANCE)
        elif match:
            ours = sine_span_embedding(data['in/refsine.ref'], int(match[2]))
            yield compare(key, ours, data[key], TOLERANCE)
    a, b = data['in/giou.a'], data['in/giou.b']
    found = {
        'invsig': inverse_sigmoid(data['in/invsig.x']),
        'giou': generalized_iou_pairwise(a, b),
        'iou': iou_pairwise(a, b),
        'cxw': xx_to_cxw(a),
        'l2': normalize_rows(data['in/l2.x'].numpy()),
    }
    for name, ours in found.items():
        yield compare(f'out/{name}', ours, data[f'out/{name}'], TOLERANCE)


def _check_projector(data: ReferenceSet) -> Iterator[Row]:
    weight = data['sd/linear_layer.net.1.weight']
    # The first of two blocks ends with ReLU; a single block has none.
    for name, layers, stop in (('relu', 2, 4), ('norelu', 1, 3)):
        projector = LinearProjector(weight.shape[1], weight.shape[0], num_layers=layers).eval()
        block = projector.layers[:stop]
        state = {
            '0.weight': data['sd/linear_layer.LayerNorm.weight'],
            '0.bias': data['sd/linear_layer.LayerNorm.bias'],
            '2.weight': weight,
            '2.bias': data['sd/linear_layer.net.1.bias'],
        }
        block.load_state_dict(state, strict=True)
        key = f'out/linear_layer.{name}'
        with torch.no_grad():
            yield compare(key, block(data['in/linear_layer.x']), data[key], TOLERANCE)


def _check_matching(data: ReferenceSet) -> Row:
    matcher = HungarianMatcher(
        dict(
            label=dict(type='ClassCost', weight=4.0, activation='softmax'),
            span=dict(type='L1SpanCost', weight=10.0),
            giou=dict(type='GIoUCost', weight=1.0, eps=0.0),
        )
    )
    spans, mask = pad_spans(data['in/match.targets'].split(data['in/match.count'].tolist()))
    inputs = MatchInputs(logits=data['in/match.logits'], spans=data['in/match.spans'])
    return check_matches('out/match', matcher(inputs, spans, mask), data['out/match'])


def _moments(table: Tensor) -> MomentList:
    table = table.double()[None]
    return MomentList(table[..., :2], table[..., 2], torch.ones(table.shape[:2], dtype=torch.bool))


def _check_post_processing(data: ReferenceSet) -> Iterator[Row]:
    def table(moments: MomentList) -> Tensor:
        rows = torch.cat((moments.spans, moments.scores.unsqueeze(-1)), dim=-1)
        return rows[0][moments.mask[0]]

    for key in data:
        match = re.fullmatch(r'out/nms\.([\d.]+)', key)
        if match:
            kept = temporal_nms(_moments(data['in/nms.pred']), float(match[1]), max_after=10)
            yield compare(key, table(kept), data[key], TOLERANCE)
        match = re.fullmatch(r'out/post(?:\.clip_window_l_center_(\d+))?', key)
        if match:
            steps: dict[str, Any] = {}
            if match[1]:
                longest = float(match[1])
                steps['limit'] = dict(type='LimitLengths', min_length=2.0, max_length=longest)
            steps['clamp'] = dict(type='ClampMoments', high=150.0)
            steps['grid'] = dict(type='RoundMoments', grid=2.0)
            steps['scores'] = dict(type='RoundScores', digits=4)
            ours = table(PostProcessor(steps)(_moments(data['in/post.pred'])))
            yield compare(key, ours, data[key], TOLERANCE)


def _check_saliency(data: ReferenceSet) -> Iterator[Row]:
    stored = data.below('in/sal.')
    scores, negative, mask = stored['scores'], stored['scores_neg'], stored['mask'].bool()
    batch, empty = len(scores), torch.zeros(len(scores), 1, 2)
    targets = GroundingTargets(
        spans=empty,
        span_mask=empty[..., 0] > 0,
        saliency=stored['labels'].float(),
        relevant=stored['labels'] > 0,
        pos_clips=stored['pos'],
        neg_clips=stored['neg'],
        source_id=torch.arange(batch),
        duration=mask.sum(dim=1) * 2.0,
        num_clips=mask.sum(dim=1),
    )
    placeholder = torch.zeros(batch, 1, 1)
    state = GroundingState(
        video_features=placeholder,
        video_mask=mask,
        text_features=placeholder,
        text_mask=mask,
        duration=targets.duration,
        targets=targets,
        negative_valid=torch.ones(batch, dtype=torch.bool),
    )
    config = data.info['config']
    rank = RankContrastiveLoss(temperature=config['tau'])
    found = {
        'margin': MarginPairLoss(config['saliency_margin'])(scores, state, negative),
        'negpair': NegativePairLoss('sum')(scores, state, negative),
        'rank_with_neg': rank(scores, state, negative),
    }
    found['total'] = sum(found.values())
    found['rank_without_neg'] = rank(scores, state, None)
    for name, ours in found.items():
        yield compare(f'loss/sal.{name}', ours, data[f'loss/sal.{name}'], TOLERANCE)
