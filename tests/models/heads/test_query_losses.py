# SPDX-License-Identifier: Apache-2.0
"""Losses of matched and of extra queries, against loops over stages, samples and queries."""

import math

import pytest
import torch

from vtg.models.heads.query_losses import ExtraTargets, QueryPredictions, QuerySetLoss, stage_mean
from vtg.utils import ConfigError

WEIGHTS = dict(span=10.0, giou=2.0, label=5.0, quality=3.0)
STAGES, BATCH, QUERIES = 3, 3, 5


def make(**options):
    options = {'weights': WEIGHTS, 'span_distance': 'smooth_l1', 'giou_eps': 0.0, **options}
    return QuerySetLoss(dict(type='SigmoidClassLoss', background_weight=0.1), **options)


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
    losses = make()(*given, with_proposals=proposals)
    stages = list(naive(*given))
    names = ['proposal_{}', '{}_0', '{}'] if proposals else ['{}_0', '{}_1', '{}']
    assert len(losses) == 12
    for name, terms in zip(names, stages):
        factor = 0.5 if name.startswith('proposal') else 1.0
        for term, value in terms.items():
            got = losses['loss_' + name.format(term)].item()
            assert got == pytest.approx(factor * WEIGHTS[term] * value, rel=1e-4), (name, term)


def test_stage_weights(given):
    a = make()(*given, with_proposals=True)
    weights = {'layers': 0.25, 'proposals': 2.0}
    b = make(stage_weights=weights)(*given, with_proposals=True)
    assert b['loss_span'] == a['loss_span'] and b['loss_span_0'] == 0.25 * a['loss_span_0']
    assert b['loss_proposal_span'] == 4 * a['loss_proposal_span']


def test_quality_of_all_queries(given):
    pred, targets, index, mask = given
    got = make(quality_targets='all')(*given, with_proposals=False)['loss_quality'].item()
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
    losses = make(weights=weights)(pred, targets, index, mask, with_proposals=False)
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
    distance = 'ends' if kind == 'collab' else 'centre_width'
    losses = make().extra(kind, pred, ExtraTargets(valid, positive, wanted), distance)
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
    losses = make()(pred, targets, torch.full_like(index, -1), mask, with_proposals=True)
    for name, value in losses.items():
        assert value.isfinite() and ((value > 0) == ('label' in name)), name
    sum(losses.values()).backward()
    assert not pred.spans.grad.any()


def test_zero_slots(toy):
    state = toy.state(moments=[[], [], []])
    index = torch.zeros(STAGES, BATCH, 0, dtype=torch.long)
    mask = torch.ones(BATCH, QUERIES, dtype=torch.bool)
    losses = make()(predictions(), state.targets, index, mask, with_proposals=False)
    assert all(value.isfinite() for value in losses.values())


def test_unmatched_and_masked_values_may_be_anything(given):
    pred, targets, index, mask = given
    first = make()(*given, with_proposals=False)
    logits = pred.logits.clone()
    logits[:, 2, 2] = torch.inf  # a query that stands for nothing
    other = QueryPredictions(logits, pred.spans, pred.quality)
    second = make()(other, targets, index, mask, with_proposals=False)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_weight_zero_removes_a_term(given):
    losses = make(weights={**WEIGHTS, 'span': 0.0})(*given, with_proposals=True)
    assert not any('span' in name for name in losses) and len(losses) == 9


def test_unknown_distance():
    with pytest.raises(ConfigError, match=r"one of \['l1', 'smooth_l1'\], got 'l2'"):
        make(span_distance='l2')


def test_stage_mean():
    values = torch.tensor([[[1.0, 2.0]], [[3.0, float('nan')]]])
    mask = torch.tensor([[[True, True]], [[True, False]]])
    assert stage_mean(values, mask).tolist() == [1.5, 3.0]
    assert stage_mean(values, torch.zeros_like(mask)).tolist() == [0.0, 0.0]
