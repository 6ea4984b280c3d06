# SPDX-License-Identifier: Apache-2.0
"""The dense head with one anchor per cell."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from vtg.models.heads import ATSSHead
from vtg.structures import GroundingTargets

STRIDES, SIZES = (0.5, 1, 2, 4), (4, 16, 32, 64)
MOMENTS = [[(0, 5), (8, 12)], [(2, 6)], []]


def make(toy, shaken, **options):
    return shaken(ATSSHead(toy.dim, num_convs=2, **options), 0.1)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def conv(layer, x):
    """Width 3, zeros beyond the ends of one sample's own cells."""
    weight, bias = layer.conv.weight, layer.conv.bias
    padded = F.pad(x, (0, 0, 1, 1))
    rows = [sum(weight[:, :, tap] @ padded[i + tap] for tap in range(3)) for i in range(len(x))]
    return torch.stack(rows) + (0 if bias is None else bias)


def naive_head(head, pyramid, b):
    """``(class logit, centerness logit, start, end, anchor start, anchor end)`` per real cell."""
    cells = []
    for level, (features, mask) in enumerate(zip(pyramid.features, pyramid.masks)):
        towers = []
        for tower in (head.class_tower, head.span_tower):
            x = features[b][mask[b]]
            for layer, norm in zip(tower.convs, tower.norms):
                x = F.relu(F.layer_norm(conv(layer, x), x.shape[1:], norm.weight, norm.bias))
            towers.append(x)
        logit, centre = conv(head.class_conv, towers[0]), conv(head.centerness_conv, towers[1])
        delta = conv(head.span_conv, towers[1]) * head.scales[level]
        for j in range(len(logit)):
            middle, width = (j + 0.5) * STRIDES[level], SIZES[level] - 1
            shift, scale = delta[j].tolist()
            c = middle + shift / 10 * (width + 1)
            w = (width + 1) * math.exp(min(scale / 5, math.log(62.5))) - 1
            cells.append((
                logit[j].item(), centre[j].item(), c - w / 2, c + w / 2,
                middle - width / 2, middle + width / 2,
            ))  # fmt: skip
    return cells


def run(head, state):
    return state.update(**head(state))


def test_outputs_against_loops(toy, shaken):
    head, state = make(toy, shaken), toy.state(moments=MOMENTS)
    with torch.no_grad():
        dense = run(head, state).moment_outputs['dense']
        for b in range(3):
            own = dense.mask[b]
            ours = torch.cat((
                dense.logits[b][own][:, None], dense.centerness[b][own][:, None],
                dense.spans[b][own], dense.anchors[own],
            ), dim=1)  # fmt: skip
            expected = torch.tensor(naive_head(head, state.pyramid, b))
            assert torch.allclose(ours, expected, atol=1e-3)


def test_padding_does_not_matter(toy, shaken):
    head = make(toy, shaken)

    def outputs(state):
        dense = run(head, state.update(targets=None)).moment_outputs['dense']
        return {
            'logits': (dense.logits, dense.mask),
            'centerness': (dense.centerness, dense.mask),
            'spans': (dense.spans, dense.mask),
            'unit': (dense.unit, None),
        }

    toy.assert_padding_free(outputs, toy.state(clips=(12, 1, 9)))


def test_padded_cells_count_only_on_request(toy, shaken):
    state = toy.state(clips=(12, 5), words=(1, 1))
    cells = [m.sum(1) for m in state.pyramid.masks]
    intended = run(make(toy, shaken), state).moment_outputs['dense'].mask.sum(1)
    assert intended.tolist() == torch.stack(cells).sum(0).tolist() == [45, 10 + 5 + 3 + 2]
    official = run(make(toy, shaken, mask_padding=False), state).moment_outputs['dense']
    assert official.mask.all() and official.mask.shape == (2, 45)


def naive_losses(dense, state):
    """The unweighted terms: sums over anchors, divided by counts over the batch."""
    label = giou = span = centre = weight = count = 0.0
    for b in range(len(dense.logits)):
        for a in range(dense.mask.shape[1]):
            if not dense.mask[b, a]:
                continue
            hit = bool(dense.assignment.positive[b, a])
            p = sigmoid(dense.logits[b, a].item())
            label += -0.25 * (1 - p) ** 2 * math.log(p) if hit else (
                -0.75 * p**2 * math.log(1 - p))  # fmt: skip
            if not hit:
                continue
            (s, e), (t, f) = dense.spans[b, a].tolist(), dense.moments[b, a].tolist()
            middle = dense.anchors[a].mean().item()
            target = min(middle - t, f - middle) / max(middle - t, f - middle)
            q = sigmoid(dense.centerness[b, a].item())
            centre += -target * math.log(q) - (1 - target) * math.log(1 - q)
            end = max(s, e)
            inter = max(0.0, min(end, f) - max(s, t))
            union, hull = (end - s) + (f - t) - inter, max(end, f) - min(s, t)
            giou += target * (1 - inter / (union + 1e-7) + (hull - union) / (hull + 1e-7))
            for d in (abs(s - t), abs(e - f)):
                span += target * (0.5 * d * d if d < 1 else d - 0.5)
            count, weight = count + 1, weight + target
    return dict(
        label=label / count, giou=giou / weight, span=span / weight, centerness=centre / count
    )


def test_losses_against_loops(toy, shaken):
    head = make(toy, shaken)
    state = run(head, toy.state(clips=(40, 30, 20), moments=[[(1, 9), (20, 36)], [(4, 20)], []]))
    dense, losses = state.moment_outputs['dense'], head.loss(state)
    positive = dense.assignment.positive
    assert positive[:2].any(1).all() and not positive[2].any()
    weights = dict(label=2.0, giou=2.0, span=0.1, centerness=0.5)
    for name, value in naive_losses(dense, state).items():
        got = losses[f'loss_dense_{name}'].item()
        assert got == pytest.approx(weights[name] * value, rel=1e-3), name


def test_moments_are_assigned_in_clips_of_their_own_video(toy, shaken):
    """An anchor that is a moment exactly is positive for it; its target is in clip units."""
    state = toy.state(clips=(16, 40), words=(1, 1), moments=[[(6, 9)], [(6, 9), (13.5, 28.5)]])
    state = state.update(duration=torch.tensor([16.0, 120.0]))
    targets = replace(state.targets, duration=state.duration)
    host = replace(targets.host, duration=state.duration)
    state = state.update(targets=replace(targets, host=host))
    dense = run(make(toy, shaken), state).moment_outputs['dense']
    assert dense.unit.tolist() == [1.0, 3.0]
    for b, anchor, moment in ((0, (6, 9), (6, 9)), (1, (6, 9), (6, 9))):
        exact = (dense.anchors - torch.tensor(anchor)).abs().sum(1) < 1.1  # level 0 steps half
        chosen = exact & dense.assignment.positive[b]
        assert chosen.any()
        assert torch.allclose(dense.moments[b][chosen], torch.tensor(moment).float(), atol=1e-4)


@pytest.mark.parametrize(('truncate', 'unit'), [(False, None), (True, 2.0)])
def test_official_units(toy, shaken, truncate, unit):
    state = toy.state(clips=(20,), words=(1,), moments=[[(1.3, 7.8)]])
    head = make(toy, shaken, truncate_targets=truncate, unit_seconds=unit)
    dense = run(head, state).moment_outputs['dense']
    moment = dense.moments[0][dense.assignment.positive[0]][0].tolist()
    # 2.6 to 15.6 seconds lose their fractions.
    assert moment == pytest.approx([1.0, 7.5] if truncate else [1.3, 7.8], abs=1e-4)


def test_a_batch_without_moments(toy, shaken, without_gradient):
    head = make(toy, shaken)
    state = run(head, toy.state(clips=(6, 1), words=(1, 1), moments=[[], []]))
    losses = head.loss(state)
    assert losses['loss_dense_label'] > 0
    assert all(losses[f'loss_dense_{name}'] == 0 for name in ('giou', 'span', 'centerness'))
    sum(losses.values()).backward()
    assert all(p.grad.isfinite().all() for p in head.parameters() if p.grad is not None)


def test_an_anchor_at_the_very_border_has_no_weight(toy, shaken):
    head = make(toy, shaken)
    state = run(head, toy.state(clips=(8,), words=(1,), moments=[[(2, 5)]]))
    dense = state.moment_outputs['dense']
    middle = dense.anchors.mean(-1)
    moments = torch.stack((middle, middle + 3), dim=-1)[None]  # centre and start coincide
    state.moment_outputs['dense'] = replace(dense, moments=moments)
    losses = head.loss(state)
    assert losses['loss_dense_giou'] == 0 and losses['loss_dense_span'] == 0
    assert losses['loss_dense_centerness'].isfinite()


def naive_ranking(dense, b, duration, score_thr, iou_thr, top_n, clamp=True):
    rows = []
    for a in range(dense.mask.shape[1]):
        p, q = (sigmoid(x[b, a].item()) for x in (dense.logits, dense.centerness))
        score = math.sqrt(p * q)
        if dense.mask[b, a] and score > score_thr:
            s, e = dense.spans[b, a].tolist()
            if clamp and e < s:
                s = e = (s + e) / 2
            unit = dense.unit[b].item()
            rows.append((*(min(max(x * unit, 0.0), duration) for x in (s, e)), score))
    rows.sort(key=lambda row: -row[2])
    kept = []
    for row in rows:

        def iou(other, row=row):
            inter = max(0.0, min(row[1], other[1]) - max(row[0], other[0]))
            union = row[1] - row[0] + other[1] - other[0] - inter
            return inter / union if union > 0 else 0.0

        if all(iou(other) <= iou_thr for other in kept):
            kept.append(row)
    return kept[:top_n]


@pytest.mark.parametrize('options', [(0.05, 0.5, 4), (0.3, 0.75, 50), (0.999, 0.5, 3)])
def test_ranked_list_against_loops(toy, shaken, options):
    head = make(toy, shaken)
    state = run(head, toy.state(clips=(20, 7, 1), targets=False))
    dense = state.moment_outputs['dense']
    score_thr, iou_thr, top_n = options
    moments = head.ranked(state, score_thr, iou_thr, top_n)
    for b in range(3):
        expected = naive_ranking(dense, b, state.duration[b].item(), *options)
        own = moments.mask[b]
        rows = torch.cat((moments.spans[b][own], moments.scores[b][own][:, None]), dim=1)
        assert len(rows) == len(expected)
        if expected:
            assert torch.allclose(rows, torch.tensor(expected), atol=1e-4)


def test_ties_with_the_last_entry_stay(toy, shaken):
    head = make(toy, shaken)
    state = run(head, toy.state(clips=(20,), words=(1,), targets=False))
    dense = state.moment_outputs['dense']
    flat = replace(dense, logits=torch.zeros_like(dense.logits),
                   centerness=torch.zeros_like(dense.centerness))  # fmt: skip
    state.moment_outputs['dense'] = flat
    assert head.ranked(state, 0.1, 1.0, 3).mask.sum() == flat.mask.sum()


def test_initialisation(toy):
    head = ATSSHead(64, prior=0.35)
    assert head.class_conv.conv.bias.item() == pytest.approx(math.log(0.35 / 0.65))
    assert not head.span_conv.conv.bias.any() and not head.centerness_conv.conv.bias.any()
    assert head.scales.tolist() == [1.0] * 4
    for layer in (*head.class_tower.convs, *head.span_tower.convs):
        assert layer.conv.bias is None
        assert layer.conv.weight.std().item() == pytest.approx(0.01, rel=0.05)
    assert not torch.equal(
        head.class_tower.convs[0].conv.weight, head.class_tower.convs[1].conv.weight
    )


def test_gradients_reach_every_parameter(toy, shaken, without_gradient):
    head = make(toy, shaken)
    state = run(head, toy.state(clips=(80, 50, 60)))
    sum(head.loss(state).values()).backward()
    # A level whose anchors are all negative leaves its scale alone.
    assert without_gradient(head) in ([], ['scales'])


def test_assignment_runs_on_the_host_copy(toy, shaken):
    state = toy.state(clips=(20,), words=(1,))
    moved = replace(state.targets, spans=state.targets.spans + 100)  # the host copy decides
    assert isinstance(moved, GroundingTargets)
    a, b = (
        run(make(toy, lambda m, _: m), state.update(targets=t)).moment_outputs['dense']
        for t in (state.targets, moved)
    )
    assert torch.equal(a.assignment.positive, b.assignment.positive)
