# SPDX-License-Identifier: Apache-2.0
"""The point head: refined scores, offsets, losses, decoding."""

import pytest
import torch
import torch.nn.functional as F

from vtg.models.heads import PointHead
from vtg.models.necks import TemporalPyramid
from vtg.utils import ConfigError

CLIPS = (16, 11, 5)
STRIDES = (1, 2, 4)


def make(toy, shaken, scores=None, **options):
    options = {'num_levels': len(STRIDES), **options}
    scores = {'num_linear': 3, 'num_convs': 2, **(scores or {})}
    return shaken(PointHead(toy.dim, scores=scores, **options))


def with_pyramid(toy, neck=None, **options):
    state = toy.state(**{'clips': CLIPS, **options})
    return state.update(**(neck or TemporalPyramid(toy.dim, STRIDES))(state))


@pytest.fixture
def neck(toy, shaken):
    return shaken(TemporalPyramid(toy.dim, STRIDES))


def outputs(head, state):
    return head(state)['moment_outputs']['points']


@pytest.mark.parametrize(
    'options',
    [
        {},
        {'scores': {'refine': False}},
        {'scores': {'mix': 'scores'}, 'boundary': 'relu'},
        {'scores': {'num_linear': None}},
    ],
)
def test_padding_does_not_matter(toy, shaken, neck, options):
    head = make(toy, shaken, **options)

    def run(state):
        state = state.update(**neck(state))
        points = outputs(head, state)
        return {
            'logits': (points.logits, points.mask),
            'offsets': (points.offsets, points.mask),
            'positive': (points.assignment.positive.float(), points.mask),
        }

    toy.assert_padding_free(run, toy.state(clips=CLIPS))


def test_scores_by_hand(toy, shaken, neck):
    head, state = make(toy, shaken), with_pyramid(toy, neck)
    points, scores = outputs(head, state), head.scores

    def score(part, cells):  # (n, D): plain convolutions with zeros around
        x = cells.T[None]
        for conv in part.convs:
            x = F.conv1d(x, conv.conv.weight, conv.conv.bias, padding=2).relu()
        return part.mlp(x[0].T).squeeze(-1)

    for b in range(3):
        levels = [x[b, m[b]] for x, m in zip(state.pyramid.features, state.pyramid.masks)]
        within = torch.cat([score(scores.within, cells) for cells in levels])
        across = score(scores.across, torch.cat(levels))
        mixed = scores.balance * within + (1 - scores.balance) * across
        assert torch.allclose(points.logits[b, points.mask[b]], mixed, atol=1e-4)


def test_offsets_become_spans_in_strides(toy, shaken, neck):
    head, state = make(toy, shaken), with_pyramid(toy, neck)
    points = outputs(head, state)
    assert (points.offsets > 0).all()
    index = points.levels[0] + 1  # the second cell of stride 2
    start, end = points.offsets[0, index]
    assert torch.allclose(points.spans[0, index], torch.stack((2 - 2 * start, 2 + 2 * end)))
    spans = head(state)['spans'][0, index] * 16
    assert torch.allclose(spans[1], 2 * (start + end), atol=1e-4)


def test_losses_by_hand(toy, shaken, neck):
    losses = dict(
        label=dict(type='FocalClassLoss', alpha=None, weight=2.0),
        span=dict(type='L1SpanLoss', on='offsets', weight=3.0),
    )
    head = make(toy, shaken, losses=losses)
    state = with_pyramid(toy, neck)
    state = state.update(**head(state))
    points = state.moment_outputs['points']
    label, span, cells, positives = 0.0, 0.0, 0, 0
    for b in range(3):
        for p in points.mask[b].nonzero().flatten():
            probability = points.logits[b, p].sigmoid()
            if points.assignment.positive[b, p]:
                label = label - (1 - probability) ** 2 * probability.log()
                span = span + (points.offsets - points.assignment.offsets)[b, p].abs().sum()
                positives += 1
            else:
                label = label - probability**2 * (1 - probability).log()
            cells += 1
    losses = head.loss(state)
    assert set(losses) == {'loss_point_label', 'loss_point_span'}
    assert losses['loss_point_label'].item() == pytest.approx(2 * label.item() / cells, rel=1e-4)
    expected = 3 * span.item() / (2 * positives)
    assert losses['loss_point_span'].item() == pytest.approx(expected, rel=1e-4)


def test_padding_reaches_no_loss(toy, shaken, neck):
    head, state = make(toy, shaken), toy.state(clips=CLIPS)

    def losses(given):
        given = given.update(**neck(given))
        return head.loss(given.update(**head(given)))

    plain, other = losses(state), losses(toy.scrambled(state))
    assert set(plain) == {'loss_point_label', 'loss_point_span', 'loss_clip_score'}
    for name, value in plain.items():
        assert other[name].item() == pytest.approx(value.item(), rel=1e-4), name


def test_no_positive_point_gives_no_span_loss(toy, shaken, neck):
    head, state = make(toy, shaken), with_pyramid(toy, neck, moments=[[], [], []])
    state = state.update(**head(state))
    assert head.loss(state)['loss_point_span'].item() == 0


def test_labels_of_highlights_alone(toy, shaken, neck):
    head = make(toy, shaken, losses=dict(label=dict(type='ClipLabelLoss')))
    state = with_pyramid(toy, neck)
    state = state.update(**head(state))
    logits = state.moment_outputs['points'].logits[:, :16][state.video_mask]
    labels = state.targets.saliency[state.video_mask]
    expected = F.binary_cross_entropy_with_logits(logits, labels).item()
    assert head.loss(state)['loss_point_label'].item() == pytest.approx(expected, rel=1e-4)


def test_list_is_ranked_cut_and_inside_the_video(toy, shaken, neck):
    head, state = make(toy, shaken, max_moments=12), with_pyramid(toy, neck)
    state = state.update(**head(state))
    moments = head.predict(state)['points']
    assert moments.scores.shape == (3, 12)
    assert moments.mask.sum(1).tolist() == [12, 12, 5 + 2 + 1]
    for b, length in enumerate(CLIPS):
        scores = moments.scores[b][moments.mask[b]]
        assert (scores.diff() <= 0).all()
        spans = moments.spans[b][moments.mask[b]]
        assert (spans >= 0).all() and (spans <= 2 * length).all()


def test_refuses_what_does_not_fit(toy, shaken, neck):
    with pytest.raises(ConfigError, match='num_levels'):
        make(toy, shaken, num_levels=2)(with_pyramid(toy, neck))
    coarse = TemporalPyramid(toy.dim, (2, 4))
    head, state = make(toy, shaken, num_levels=2), with_pyramid(toy, coarse)
    with pytest.raises(ConfigError, match=r'losses\.clip_score .* a stride of 1 or set losses'):
        head.loss(state.update(**head(state)))
    with pytest.raises(ConfigError):
        make(toy, shaken, scores=dict(mix='none'))


def test_gradients_reach_every_parameter(toy, shaken, neck, without_gradient):
    head, state = make(toy, shaken), with_pyramid(toy, neck)
    state = state.update(**head(state))
    sum(head.loss(state).values()).backward()
    assert without_gradient(head) == []


def test_two_convolutions_alone_score_a_level(toy, shaken, neck):
    scores = {'num_convs': 2, 'num_linear': None, 'refine': False}
    head, state = make(toy, shaken, scores), with_pyramid(toy, neck)
    first, last = head.scores.within.convs[0].state_dict(), head.scores.within.last_conv
    logits = outputs(head, state).logits
    for b, length in enumerate(CLIPS):
        x = state.pyramid.features[0][b, :length].T[None]
        x = F.relu(F.conv1d(x, *(v for k, v in sorted(first.items(), reverse=True)), padding=2))
        weight, bias = (last.state_dict()[k] for k in sorted(last.state_dict(), reverse=True))
        expected = F.conv1d(x, weight, bias, padding=2)[0, 0]
        assert torch.allclose(logits[b, :length], expected, atol=1e-4)
