# SPDX-License-Identifier: Apache-2.0
"""Fusion, assignment, coding and overlaps of spans, the parts of ``sgdetr_parts`` on spans."""

from collections.abc import Iterator

import torch

from vtg.models.task_modules import (
    AnchorDeltaCoder,
    ATSSAssigner,
    WeightedBoxFusion1D,
    centerness_target,
)
from vtg.structures import MomentList, generalized_iou_aligned, iou_aligned

from .core import ReferenceSet, Row, compare, compare_exact

FUSION_TOLERANCE = 1e-6
DOUBLE_TOLERANCE = 1e-9


def cases_of(data: ReferenceSet, part: str) -> list[str]:
    """Return the names of the stored cases of a part."""
    return sorted({key.split('/')[2] for key in data if key.startswith(f'in/{part}/')})


def check_fusion(data: ReferenceSet) -> Iterator[Row]:
    """Weighted fusion of result lists."""
    for case in cases_of(data, 'wbf'):
        config = data.info['config'][f'wbf/{case}']
        if config['conf_type'] not in ('avg', 'max'):
            note = f'superseded: the confidence {config["conf_type"]} is not used and not offered'
            yield Row(f'out/wbf/{case}', None, note=note)
            continue
        lists = []
        for index in range(len(config['weights'])):
            spans = data[f'in/wbf/{case}/spans{index}'][None]
            scores = data[f'in/wbf/{case}/scores{index}'][None]
            lists.append(MomentList(spans, scores, torch.ones_like(scores, dtype=torch.bool)))
        for threshold in config['iou_thr']:
            fusion = WeightedBoxFusion1D(
                weights=config['weights'],
                iou_thr=threshold,
                skip_thr=config['skip_box_thr'],
                conf_type=config['conf_type'],
                allows_overflow=config['allows_overflow'],
            )
            fused = fusion(lists)
            name = f'out/wbf/{case}/thr{threshold}'
            for kind in ('spans', 'scores'):
                ours, theirs = getattr(fused, kind)[fused.mask], data[f'{name}/{kind}']
                yield compare(f'{name}/{kind}', ours, theirs, FUSION_TOLERANCE, scaled=False)


def check_assignment(data: ReferenceSet) -> Iterator[Row]:
    """Candidates and positives of the adaptive assignment."""
    for case in cases_of(data, 'atss'):
        inputs, outputs = data.below(f'in/atss/{case}/'), data.below(f'out/atss/{case}/')
        config, name = data.info['config'][f'atss/{case}'], f'out/atss/{case}'
        anchors, gts, valid = inputs['anchors'], inputs['gts'], inputs['valid'].bool()
        sizes = inputs['level_sizes'].tolist()
        assigner = ATSSAssigner(config['topk'], config['center_in_gt_eps'], config['thr_eps'])
        every = torch.ones(1, len(gts), dtype=torch.bool)
        result = assigner(anchors, sizes, valid[None], gts[None], every)
        positive, index = result.positive[0], result.gt_index[0]
        ours = torch.where(positive, index + 1, 0)
        yield compare_exact(f'{name}/assigned', ours, outputs['assigned'])

        # Without the conditions on overlap and centre every candidate of a moment is positive.
        candidates = ATSSAssigner(config['topk'], -torch.inf, torch.inf)
        found = candidates(anchors, sizes, valid.expand(len(gts), -1), gts[:, None], every.T)
        yield compare_exact(f'{name}/cand', found.positive.T, outputs['cand'].bool())

        theirs = outputs['overlap'][positive]
        yield compare(f'{name}/overlap', result.iou[0, positive], theirs, DOUBLE_TOLERANCE)
        ours = centerness_target(anchors, gts[index], sqrt=True)[positive]
        yield compare(f'{name}/centerness', ours, outputs['centerness'][positive], DOUBLE_TOLERANCE)
        note = 'not exposed; the positives follow from it'
        yield Row(f'{name}/thr', None, note=note)


def check_decoding(data: ReferenceSet) -> Iterator[Row]:
    """Anchor deltas without the offset of widths that SG-DETR adds."""
    limit = data.info['constants']['delta_width_clamp']
    coder = AnchorDeltaCoder(
        factors=[1 / std for std in data.info['constants']['delta_stds']],
        width_offset=0.0,
        max_log=limit,
        min_log=-limit,
    )
    ours = coder.decode(data['in/delta/anchors'], data['in/delta/deltas'])
    yield compare('out/delta/spans', ours, data['out/delta/spans'], FUSION_TOLERANCE)


def check_overlaps(data: ReferenceSet) -> Iterator[Row]:
    """IoU and generalised IoU of aligned spans."""
    a, b = data['in/giou/a'], data['in/giou/b']
    empty = (a[:, 0] == a[:, 1]) & (b[:, 0] == b[:, 1])
    for name, overlap in (('iou', iou_aligned), ('giou', generalized_iou_aligned)):
        ours, theirs = overlap(a, b)[~empty], data[f'out/giou/{name}'][~empty]
        yield compare(f'out/giou/{name}', ours, theirs, DOUBLE_TOLERANCE)
    if empty.any():
        note = 'superseded: two spans without length have no defined overlap in the released code'
        rows = ','.join(map(str, empty.nonzero().flatten().tolist()))
        yield Row(f'out/giou rows {rows}', None, note=note)
