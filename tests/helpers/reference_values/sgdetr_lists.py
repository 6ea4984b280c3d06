# SPDX-License-Identifier: Apache-2.0
"""SG-DETR's result lists, and its dense head at full length."""

from collections.abc import Iterator
from typing import Any

import torch
from mmengine import Config

from vtg.models.heads import DenseOutputs
from vtg.models.pipeline import fill_defaults
from vtg.registry import MODELS, TASK_UTILS
from vtg.structures import GroundingState, MomentList, cxw_to_xx

from .common import copy_config
from .core import ReferenceSet, Row, compare, compare_exact

TOLERANCE = 2e-4
SECONDS_TOLERANCE = 1e-3
SCORE_TOLERANCE = 1e-4


# Post-processing per data set: list of the dense head, list that enters the fusion, the fusion.
PUBLISHED_TEST_CFG: dict[str, dict[str, dict[str, Any]]] = {
    'qvhighlights': dict(
        dense=dict(score_thr=0.05, iou_thr=0.5, top_n=10),
        fused=dict(score_thr=0.01, iou_thr=0.75, top_n=10),
        fusion=dict(weights=(1.0, 2.5), iou_thr=0.8, skip_thr=0.1, max_length=152.0),
        post=dict(grid=2.0, high=150.0, min_length=2.0, max_length=150.0),
    ),
    'charades': dict(
        dense=dict(score_thr=0.1, iou_thr=0.5, top_n=50),
        fused=dict(score_thr=0.1, iou_thr=0.5, top_n=50),
        fusion=dict(weights=(1.0, 1.0), iou_thr=0.5, skip_thr=0.4, max_length=200.0),
        post=dict(grid=0.1, high=200.0, min_length=1.0, max_length=200.0),
    ),
    'tacos': dict(
        dense=dict(score_thr=0.05, iou_thr=0.6, top_n=20),
        fused=dict(score_thr=0.05, iou_thr=0.6, top_n=20),
        fusion=dict(weights=(1.0, 1.0), iou_thr=0.6, skip_thr=0.1, max_length=1500.0),
        post=dict(grid=0.4, high=1500.0, min_length=2.0, max_length=1500.0),
    ),
}


def check_lists(case: Any, state: GroundingState) -> Iterator[Row]:
    """Compare the three result lists with the post-processing of three data sets.

    Args:
        case: A run of the set.
        state: Of its inference.
    """
    head = case.head
    for dataset, cfg in PUBLISHED_TEST_CFG.items():
        fusion = TASK_UTILS.build(dict(type='WeightedBoxFusion1D', **cfg['fusion']))
        queries = head.query_head.ranked(state)
        raw = {
            'aux': head.dense_head.ranked(state, **cfg['dense']),
            'comb': fusion([queries, head.dense_head.ranked(state, **cfg['fused'])]),
        }
        post = dict(cfg['post'])
        steps = dict(
            clamp=dict(type='ClampMoments', high=post.pop('high')),
            round=dict(type='RoundMoments', grid=post.pop('grid')),
            length=dict(type='LimitLengths', **post),
        )
        process = TASK_UTILS.build(dict(type='PostProcessor', steps=steps))
        for kind, moments in (raw | {'detr': queries}).items():
            yield from _check_list(case, f'out/prep/{dataset}/{kind}', moments)
        for kind, moments in (raw | {'detr': head.query_head.ranked(state, 4)}).items():
            yield from _check_list(case, f'out/post/{dataset}/{kind}', process(moments))


def _check_list(case: Any, key: str, moments: MomentList) -> Iterator[Row]:
    for sample in range(len(moments.scores)):
        stored = case.get(f'{key}/{sample}')
        if stored is None:
            continue
        stored, name = stored.reshape(-1, stored.shape[-1] or 3), case.name(f'{key}/{sample}')
        mask = moments.mask[sample]
        spans, scores = moments.spans[sample][mask], moments.scores[sample][mask]
        # Before post-processing the queries are stored with class and quality apart.
        theirs = stored[:, 2:].prod(dim=1)
        theirs = theirs if stored.shape[1] == 3 else theirs.sqrt()
        yield compare(f'{name} seconds', spans, stored[:, :2], SECONDS_TOLERANCE, scaled=False)
        yield compare(f'{name} scores', scores, theirs, SCORE_TOLERANCE, scaled=False)


def check_long(data: ReferenceSet, base: dict) -> Iterator[Row]:
    """Compare assignment, decoding and losses of the dense head at the size of real videos."""
    spans = data['atss_long/in/spans']
    mask = spans[..., 0] >= 0
    names = data.below('atss_long/out/top')
    for topk in sorted({int(name.split('/')[0]) for name in names}):
        model = copy_config(base)
        cfg = Config(fill_defaults(model.moment_head.dense_head, model.defaults))
        cfg.assigner.topk = topk
        for loss in cfg.losses.values():
            loss.weight = 1.0
        head = MODELS.build(cfg.to_dict())
        strides = head.anchors.strides
        clips = round(data['atss_long/in/cls'].shape[1] / sum(1 / stride for stride in strides))
        sizes = [int(clips / stride) for stride in strides]
        anchors = torch.cat(head.anchors(sizes))
        seconds = (cxw_to_xx(spans) * 2 * clips).trunc()
        gts = seconds / 2
        if not gts.shape[1]:  # a moment that does not count, where there is none
            gts, mask = gts.new_zeros(len(gts), 1, 2), mask.new_zeros(len(gts), 1)
        valid = torch.ones(len(spans), len(anchors), dtype=torch.bool)
        assignment = head.assigner(anchors, sizes, valid, gts, mask)
        moments = gts.gather(1, assignment.gt_index.unsqueeze(-1).expand(-1, -1, 2))
        outputs = DenseOutputs(
            data['atss_long/in/cls'],
            data['atss_long/in/ctr'],
            head.coder.decode(anchors, data['atss_long/in/reg']),
            anchors,
            valid,
            torch.full((len(spans),), 2.0),
            assignment,
            moments,
        )
        name = f'atss_long/out/top{topk}'
        labels = data[f'{name}/labels'].bool()
        yield compare_exact(f'{name}/labels', assignment.positive, labels)
        yield compare(
            f'{name}/matched_gt', moments[labels], data[f'{name}/matched_gt'][labels], 1e-5
        )
        placeholder = torch.zeros(len(spans), 1, 1)
        state = GroundingState(
            placeholder,
            placeholder,
            placeholder,
            placeholder,
            placeholder[:, 0, 0],
            moment_outputs={'dense': outputs},
        )
        losses = head.loss(state)
        for ours, theirs in (
            ('label', 'label'),
            ('giou', 'giou'),
            ('span', 'span'),
            ('centerness', 'ctrness'),
        ):
            key = f'atss_long/loss/top{topk}/aux_loss_{theirs}'
            yield compare(key, losses[f'loss_dense_{ours}'], data[key], TOLERANCE)
    if names and 'atss_long/out/decoded' in data:
        stored = data['atss_long/out/decoded']
        yield compare('atss_long/out/decoded', outputs.spans, stored, TOLERANCE)
