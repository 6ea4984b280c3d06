# SPDX-License-Identifier: Apache-2.0
"""Losses of matched and of extra queries, against loops over stages, samples and queries."""

import math

import pytest
import torch

from vtg.models.heads import ExtraTargets, QueryPredictions
from vtg.models.heads.query.extras import build_extra_losses
from vtg.models.heads.query.outputs import assign_extra, assign_matched
from vtg.models.losses import MomentLosses
from vtg.utils import ConfigError

WEIGHTS = dict(span=10.0, giou=2.0, label=5.0, quality=3.0)
STAGES, BATCH, QUERIES = 3, 3, 5


LOSSES = dict(
    span=dict(type='SmoothL1SpanLoss', weight=10.0),
    giou=dict(type='GIoUSpanLoss', eps=0.0, weight=2.0),
    label=dict(type='SigmoidClassLoss', background_weight=0.1, weight=5.0),
    quality=dict(type='QualityLoss', weight=3.0),
)


def compute(given, with_proposals, stage_weights=None, **changes):
    pred, targets, index, mask = given
    losses = MomentLosses({**LOSSES, **changes})
    assigned = assign_matched(pred, targets.spans, index, mask)
    weights = {'proposals': 0.5, **(stage_weights or {})}
    if with_proposals:
        return losses(assigned.stages(1), None, assigned, weights)
    return losses(assigned, None, None, weights)


def predictions(**extra):
    return QueryPredictions(
        logits=torch.randn(STAGES, BATCH, QUERIES, 1),
        spans=torch.rand(STAGES, BATCH, QUERIES, 2) * 0.4 + 0.2,
        quality=torch.randn(STAGES, BATCH, QUERIES),
        **extra,
    )


@pytest.fixture
def given(toy):
    """Two, one and no moment; the third query of the last sample is not real."""
    state = toy.state(moments=[[(0, 4), (6, 9)], [(1, 5)], []])
    index = torch.tensor([
        [[3, 0], [2, -1], [-1, -1]], [[1, 4], [0, -1], [-1, -1]], [[0, 1], [4, -1], [-1, -1]]
    ])  # fmt: skip
    mask = torch.ones(BATCH, QUERIES, dtype=torch.bool)
    mask[2, 2] = False
    return predictions(), state.targets, index, mask


def bce(logit, target):
    p = 1 / (1 + math.exp(-logit))
    return -target * math.log(p) - (1 - target) * math.log(1 - p)


def smooth_l1(d):
    return 0.5 * d * d if abs(d) < 1 else abs(d) - 0.5


def overlap(a, b):
    (s, e), (t, f) = ([c - w / 2, c + w / 2] for c, w in (a, b))
    inter = max(0.0, min(e, f) - max(s, t))
    union, hull = (e - s) + (f - t) - inter, max(e, f) - min(s, t)
    return inter / union, inter / union - (hull - union) / hull


def naive(pred, targets, index, mask):
    """The four unweighted terms of every stage."""
    for stage in range(STAGES):
        span, giou, quality, label = [], [], [], []
        for b in range(BATCH):
            matched = {q: g for g, q in enumerate(index[stage, b].tolist()) if q >= 0}
            for q in range(QUERIES):
                logit = pred.logits[stage, b, q, 0].item()
                if mask[b, q]:
                    label.append(bce(logit, 1) if q in matched else 0.1 * bce(logit, 0))
                if q not in matched:
                    continue
                ours = pred.spans[stage, b, q].tolist()
                theirs = targets.spans[b, matched[q]].tolist()
                iou, generalized = overlap(ours, theirs)
                span += [smooth_l1(x - y) for x, y in zip(ours, theirs)]
                giou.append(1 - generalized)
                quality.append(bce(pred.quality[stage, b, q].item(), iou))
        terms = dict(span=span, giou=giou, quality=quality, label=label)
        yield {name: sum(values) / len(values) for name, values in terms.items()}


@pytest.mark.parametrize('proposals', [True, False])
def test_matched_queries_against_loops(given, proposals):
    losses = compute(given, proposals)
    stages = list(naive(*given))
    names = ['proposal_{}', '{}_0', '{}'] if proposals else ['{}_0', '{}_1', '{}']
    assert len(losses) == 12
    for name, terms in zip(names, stages):
        factor = 0.5 if name.startswith('proposal') else 1.0
        for term, value in terms.items():
            got = losses['loss_' + name.format(term)].item()
            assert got == pytest.approx(factor * WEIGHTS[term] * value, rel=1e-4), (name, term)


def test_stage_weights(given):
    a = compute(given, True)
    weights = {'layers': 0.25, 'proposals': 2.0}
    b = compute(given, True, weights)
    assert b['loss_span'] == a['loss_span'] and b['loss_span_0'] == 0.25 * a['loss_span_0']
    assert b['loss_proposal_span'] == 4 * a['loss_proposal_span']


def test_quality_of_all_queries(given):
    pred, targets, index, mask = given
    got = compute(given, False, quality={**LOSSES['quality'], 'targets': 'all'})
    got = got['loss_quality'].item()
    terms = []
    for b in range(BATCH):
        matched = {q: g for g, q in enumerate(index[2, b].tolist()) if q >= 0}
        for q in range(QUERIES):
            logit = pred.quality[2, b, q].item()
            if q in matched:
                spans = pred.spans[2, b, q].tolist(), targets.spans[b, matched[q]].tolist()
                terms.append(bce(logit, overlap(*spans)[0]))
            elif mask[b, q]:
                terms.append(0.1 * bce(logit, 0))
    assert got == pytest.approx(3 * sum(terms) / len(terms), rel=1e-4)


def test_offsets_beyond_a_margin(given):
    pred, targets, index, mask = given
    references = torch.rand(STAGES, BATCH, QUERIES, 2)
    pred = QueryPredictions(pred.logits, pred.spans, pred.quality, references)
    weights = {'centre_offset': 2.0, 'width_offset': 1.0}
    offsets = {
        f'{part}_offset': dict(
            type='ReferenceOffsetLoss', part=part, margin=margin, weight=weights[f'{part}_offset']
        )
        for part, margin in (('centre', 0.1), ('width', 0.15))
    }
    losses = MomentLosses(offsets)(assign_matched(pred, targets.spans, index, mask), None)
    assert set(losses) == {f'loss_{n}{s}' for n in weights for s in ('', '_0', '_1')}
    for axis, (name, margin) in enumerate((('centre_offset', 0.1), ('width_offset', 0.15))):
        terms = []
        for b in range(BATCH):
            for q in index[2, b].tolist():
                if q >= 0:
                    distance = abs(pred.spans[2, b, q, axis] - references[2, b, q, axis]).item()
                    terms.append(min(max(distance - margin, 0), 1))
        expected = weights[name] * sum(terms) / len(terms)
        assert losses[f'loss_{name}'].item() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize('kind', ['collab', 'denoising'])
def test_extra_queries_against_loops(kind):
    pred = predictions()
    valid = torch.tensor([[True] * 5, [True, True, False, False, False], [True] + [False] * 4])
    positive = torch.tensor([[True, True, False, True, False], [True, False, True, False, False],
                             [False] * 5])  # fmt: skip
    wanted = torch.rand(BATCH, QUERIES, 2) * 0.3 + 0.3
    losses = build_extra_losses(None, LOSSES, MomentLosses(LOSSES), 1)[kind](
        assign_extra(pred, ExtraTargets(valid, positive, wanted)), None
    )
    for stage, suffix in enumerate(('_0', '_1', '')):
        label, span, giou = [], [], []
        for b in range(BATCH):
            for q in range(QUERIES):
                hit = bool(positive[b, q] and valid[b, q])
                if valid[b, q]:
                    label.append(bce(pred.logits[stage, b, q, 0].item(), float(hit)))
                if not hit:
                    continue
                (c, w), (d, v) = pred.spans[stage, b, q].tolist(), wanted[b, q].tolist()
                if kind == 'collab':
                    span += [abs(c - w / 2 - d + v / 2), abs(c + w / 2 - d - v / 2)]
                else:
                    span += [smooth_l1(c - d), smooth_l1(w - v)]
                giou.append(1 - overlap((c, w), (d, v))[1])
        for name, terms in (('label', label), ('span', span), ('giou', giou)):
            got = losses[f'loss_{kind}_{name}{suffix}'].item()
            expected = 0.5 * WEIGHTS[name] * sum(terms) / len(terms)
            assert got == pytest.approx(expected, rel=1e-4), (name, suffix)


def test_a_batch_without_moments(given):
    pred, targets, index, mask = given
    pred.spans.requires_grad_()
    losses = compute((pred, targets, torch.full_like(index, -1), mask), True)
    for name, value in losses.items():
        assert value.isfinite() and ((value > 0) == ('label' in name)), name
    sum(losses.values()).backward()
    assert not pred.spans.grad.any()


def test_zero_slots(toy):
    state = toy.state(moments=[[], [], []])
    index = torch.zeros(STAGES, BATCH, 0, dtype=torch.long)
    mask = torch.ones(BATCH, QUERIES, dtype=torch.bool)
    losses = compute((predictions(), state.targets, index, mask), False)
    assert all(value.isfinite() for value in losses.values())


def test_unmatched_and_masked_values_may_be_anything(given):
    pred, targets, index, mask = given
    first = compute(given, False)
    logits = pred.logits.clone()
    logits[:, 2, 2] = torch.inf  # a query that stands for nothing
    other = QueryPredictions(logits, pred.spans, pred.quality)
    second = compute((other, targets, index, mask), False)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_none_removes_a_term_and_zero_keeps_it(given):
    losses = compute(given, True, span=None, giou={**LOSSES['giou'], 'weight': 0.0})
    assert not any('span' in name for name in losses) and len(losses) == 9
    assert losses['loss_giou'] == 0


def test_losses_of_extra_queries_follow_those_of_the_head():
    both = {**LOSSES, 'label': None}
    given = dict(collab=dict(weight=0.25, losses=dict(span=dict(type='L1SpanLoss', weight=8.0))))
    kinds = build_extra_losses(given, both, MomentLosses(both), 1)
    assert {name: loss.weight for name, loss in kinds['collab'].items()} == dict(span=2.0, giou=0.5)
    assert {n: loss.weight for n, loss in kinds['denoising'].items()} == dict(span=5.0, giou=1.0)


@pytest.mark.parametrize(
    ('extras', 'sentence'),
    [
        (dict(colab={}), 'extras has no colab; did you mean collab'),
        (dict(collab=dict(factor=1.0)), r'extras\.collab has no factor; '),
        (dict(collab=dict(losses=dict(labl=None))), r'extras\.collab\.losses has no labl; '),
        (
            dict(collab=dict(losses=dict(quality=dict(type='QualityLoss')))),
            r'QueryHead\.extras\.collab: losses\.quality \(QualityLoss\) needs `quality`, which',
        ),
    ],
)
def test_extras_that_cannot_be(extras, sentence):
    with pytest.raises(ConfigError, match=sentence):
        build_extra_losses(extras, LOSSES, MomentLosses(LOSSES), 1)
