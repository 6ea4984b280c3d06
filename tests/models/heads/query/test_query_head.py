# SPDX-License-Identifier: Apache-2.0
"""The query head."""

import math

import pytest
import torch

from vtg.models.heads import QueryHead
from vtg.models.layers import sine_span_embedding
from vtg.utils import ConfigError

DECODER = dict(
    type='SpanDecoder', dim=16, num_layers=2, num_heads=4, hidden_dim=32, dropout=0.0, drop_path=0.0
)
MATCHER = dict(
    type='HungarianMatcher',
    costs=dict(label=dict(type='ClassCost'), span=dict(type='L1SpanCost')),
)
LOSSES = dict(
    span=dict(type='L1SpanLoss', weight=10.0),
    giou=dict(type='GIoUSpanLoss'),
    label=dict(type='SigmoidClassLoss', weight=5.0),
    quality=dict(type='QualityLoss'),
)
SOURCES = {
    'pyramid': dict(type='PyramidQuerySelector', dim=16, num_queries=6),
    'learned': dict(type='LearnedQueries', dim=16, num_queries=6),
}


def make(shaken, source='pyramid', **options):
    parts = dict(queries=SOURCES[source], decoder=DECODER, matcher=MATCHER, losses=LOSSES)
    return shaken(QueryHead(16, **{**parts, **options}), 0.1)


def denoising(num_queries=300, **options):
    generator = dict(type='DenoisingGenerator', num_queries=num_queries)
    return dict(denoising=dict(generator=generator, **options))


def run(head, state):
    return state.update(**head(state))


def sigmoid(x):
    return 1 / (1 + torch.exp(-x))


def test_predictions_by_hand(toy, shaken):
    """Classes and spans come from the normed state, quality from the state and the next span."""
    head, state = make(shaken), toy.state(targets=False)
    with torch.no_grad():
        queries = head.queries(state)
        decoded = head.decoder(
            queries.content, queries.reference, state.memory, state.video_mask, state.video_pos,
            blocked=torch.zeros(6, 6, dtype=torch.bool),
        )  # fmt: skip
        outputs = run(head, state).moment_outputs['queries']
        pred = outputs.predictions
        for stage in range(2):
            h, x = decoded.normed[stage], decoded.hidden[stage]
            assert torch.allclose(pred.logits[stage], head.class_head(h), atol=1e-5)
            entering = queries.reference if stage == 0 else decoded.refined[0]
            spans = sigmoid(head.span_head(h) + torch.log(entering / (1 - entering)))
            assert torch.allclose(pred.spans[stage], spans, atol=1e-4)
            sine = sine_span_embedding(decoded.refined[stage], 16)
            quality = head.quality_head(torch.cat((x, sine), dim=-1))[..., 0]
            assert torch.allclose(pred.quality[stage], quality, atol=1e-4)
        assert torch.equal(outputs.normed, decoded.normed)


@pytest.mark.parametrize('source', ['pyramid', 'learned'])
def test_padding_does_not_matter(toy, shaken, source):
    head = make(shaken, source)

    def outputs(state):
        state = run(head, state.update(targets=None))
        return {'spans': (state.spans, None), 'scores': (state.span_scores, None)}

    toy.assert_padding_free(outputs, toy.state(clips=(12, 7, 9)))


def test_short_videos_in_a_batch(toy, shaken):
    """One clip has five cells; the sixth query is nothing and changes nothing."""
    head, state = make(shaken), toy.state(clips=(12, 1), words=(1, 1), targets=False)
    whole, alone = run(head, state), run(head, toy.alone(state, 1))
    assert whole.span_scores[1, 5] == 0
    assert torch.allclose(whole.spans[1, :5], alone.spans[0, :5], atol=1e-5)
    ranked = head.predict(whole)['detr']
    assert ranked.mask.tolist() == [[True] * 6, [True] * 5 + [False]]


def test_scores_and_ranking(toy, shaken):
    head, state = make(shaken), toy.state(targets=False)
    state = run(head, state)
    last = state.moment_outputs['queries'].predictions.last()
    p, q = last.logits[..., 0].sigmoid(), last.quality.sigmoid()
    assert torch.allclose(state.span_scores, (p * q).sqrt(), atol=1e-6)
    moments = head.predict(state)['detr']
    for b in range(3):
        duration = state.duration[b].item()
        rows = []
        for (c, w), score in zip(last.spans[b].tolist(), (p * q).sqrt()[b].tolist()):
            ends = [min(max(x * duration, 0), duration) for x in (c - w / 2, c + w / 2)]
            rows.append([*ends, score])
        rows.sort(key=lambda row: -row[2])
        ours = torch.cat((moments.spans[b], moments.scores[b][:, None]), dim=1)
        assert torch.allclose(ours, torch.tensor(rows), atol=1e-4)


def test_official_order_goes_by_class(toy, shaken):
    head = make(shaken, ranking=dict(by='class', digits=4))
    state = run(head, toy.state(targets=False))
    last = state.moment_outputs['queries'].predictions.last()
    p, q = last.logits[..., 0].sigmoid(), last.quality.sigmoid()
    scores = head.predict(state)['detr'].scores
    for b in range(3):
        order = sorted(range(6), key=lambda i: -p[b, i].item())
        expected = [math.sqrt(round(p[b, i].item(), 4) * round(q[b, i].item(), 4)) for i in order]
        assert scores[b].tolist() == pytest.approx(expected, abs=1e-6)


def test_without_quality_the_class_is_the_score(toy, shaken):
    head = make(
        shaken,
        quality=False,
        queries={**SOURCES['pyramid'], 'quality': False},
        losses={**LOSSES, 'quality': None},
    )
    state = run(head, toy.state(targets=False))
    last = state.moment_outputs['queries'].predictions.last()
    assert last.quality is None and head.quality_head is None
    assert torch.allclose(state.span_scores, last.logits[..., 0].sigmoid())


def test_clamping_is_optional(toy, shaken):
    state = run(make(shaken, 'learned'), toy.state(targets=False))
    state.moment_outputs['queries'].predictions.spans[..., 1] = 3.0
    for clamp in (True, False):
        spans = make(shaken, 'learned', ranking=dict(clamp=clamp)).ranked(state).spans
        inside = ((spans >= 0) & (spans <= state.duration[:, None, None])).all()
        assert bool(inside) == clamp


def test_matching_uses_all_stages_and_real_queries_only(toy, shaken):
    head, seen = make(shaken), []
    matcher = head.matcher

    def record(inputs, gts, mask):
        seen.append((inputs, matcher(inputs, gts, mask)))
        return seen[-1][1]

    head.matcher = record
    state = toy.state(clips=(12, 1, 9), moments=[[(0, 4), (6, 9)], [(0, 1)], []])
    losses = head.loss(run(head, state))
    inputs, index = seen[0]
    assert inputs.logits.shape == (3, 3, 6, 1) and index.shape == (3, 3, 2)  # source and 2 layers
    assert (index[:, 1, 0] < 5).all() and (index[:, 1, 1] == -1).all() and (index[:, 2] == -1).all()
    names = {'span', 'giou', 'label', 'quality'}
    suffixes = ('loss_proposal_{}', 'loss_{}_0', 'loss_{}')
    assert set(losses) == {text.format(name) for text in suffixes for name in names}
    assert all(value.isfinite() for value in losses.values())


@pytest.mark.parametrize('unused', [False, True])
def test_denoising_queries_do_not_change_the_others(toy, shaken, unused):
    head = make(shaken, extras=denoising(8, sees_unused=unused))
    state = toy.state(moments=[[(0, 4), (6, 9)], [(1, 5)], []])
    trained = run(head.train(), state).moment_outputs['queries']
    plain = run(head.eval(), state).moment_outputs['queries']
    assert torch.allclose(trained.predictions.logits, plain.predictions.logits, atol=1e-5)
    assert torch.allclose(trained.predictions.spans, plain.predictions.spans, atol=1e-5)
    assert set(trained.extra) == {'denoising'} and plain.extra == {}
    predictions, queries = trained.extra['denoising']
    assert predictions.spans.shape == (2, 3, 8, 2)  # two groups of two moments, twice
    assert queries.targets.valid.sum(1).tolist() == [8, 4, 0]
    losses = head.loss(run(head.train(), state))
    assert {f'loss_denoising_{n}{s}' for n in ('label', 'span', 'giou') for s in ('', '_0')} <= set(
        losses
    )


def test_denoising_does_not_depend_on_neighbours(toy, shaken):
    """Slots that only a neighbour needs stay invisible."""
    head = make(shaken, extras=denoising(1)).train()
    generator = head.denoising

    def still(gts, mask):
        shape = (*mask.shape[:1], 1, 2, mask.shape[1], 2)
        return generator(gts, mask, noise=(torch.ones(shape), torch.full(shape, 0.5)))

    head.denoising = still
    state = toy.state(moments=[[(0, 4), (6, 9)], [(1, 5)], [(0, 2)]])
    whole, _ = run(head, state).moment_outputs['queries'].extra['denoising']
    alone, _ = run(head, toy.alone(state, 1)).moment_outputs['queries'].extra['denoising']
    # In the batch the slots are [positive, unused, negative, unused], alone without the unused.
    assert torch.allclose(whole.spans[:, 1, [0, 2]], alone.spans[:, 0], atol=1e-5)


def test_combinations_that_need_spans(toy):
    slots = dict(type='LearnedSlots', dim=16, num_queries=4)
    with pytest.raises(ConfigError, match='SpanDecoder needs queries that are spans'):
        QueryHead(16, queries=slots, decoder=DECODER, matcher=MATCHER, losses=LOSSES)
    decoder = dict(type='SlotDecoder', dim=16, num_layers=1, num_heads=4, hidden_dim=32)
    with pytest.raises(ConfigError, match='SlotDecoder needs queries that are learned slots'):
        QueryHead(16, queries=SOURCES['learned'], decoder=decoder, matcher=MATCHER, losses=LOSSES)
    with pytest.raises(ConfigError, match='quality needs a decoder that refines spans'):
        QueryHead(16, queries=slots, decoder=decoder, matcher=MATCHER, losses=LOSSES)


def test_initialisation(toy):
    head = QueryHead(64, {**SOURCES['learned'], 'dim': 64}, {**DECODER, 'dim': 64}, MATCHER, LOSSES)
    assert head.class_head.bias.item() == pytest.approx(math.log(0.35 / 0.65))
    assert head.class_head.weight.std().item() == pytest.approx(0.01, rel=0.3)
    assert not head.span_head[-1].weight.any() and not head.span_head[-1].bias.any()
    assert head.quality_head[-1].weight.any() and not head.quality_head[-1].bias.any()


def test_gradients(toy, shaken, without_gradient):
    head = make(shaken)
    sum(head.loss(run(head, toy.state())).values()).backward()
    # The last refinement only feeds the quality head, as a constant, but the layers share it.
    assert without_gradient(head) == []


@pytest.mark.parametrize('source', ['pyramid', 'learned'])
def test_no_moments_at_all(toy, shaken, source):
    head = make(shaken, source, extras=denoising()).train()
    losses = head.loss(run(head, toy.state(clips=(6, 1), words=(1, 1), moments=[[], []])))
    assert all(value.isfinite() for value in losses.values())
    sum(losses.values()).backward()
    assert all(p.grad.isfinite().all() for p in head.parameters() if p.grad is not None)


@pytest.mark.parametrize('alpha', [0.0, 0.3, 0.5, 1.0])
def test_the_exponent_of_the_class_probability(toy, shaken, alpha):
    head, state = make(shaken, ranking=dict(alpha=alpha)), toy.state(targets=False)
    with torch.no_grad():
        done = run(head, state)
        moments = head.predict(done)['detr']
    last = done.moment_outputs['queries'].predictions.last()
    for b in range(3):
        classes, overlaps = sigmoid(last.logits[b, :, 0]), sigmoid(last.quality[b])
        expected = [p**alpha * q ** (1 - alpha) for p, q in zip(classes, overlaps)]
        expected = sorted((e.item() for e in expected), reverse=True)
        assert moments.scores[b].tolist() == pytest.approx(expected, rel=1e-4)


def test_an_exponent_outside_of_its_range():
    with pytest.raises(ConfigError, match=r'ranking.alpha must be from 0 to 1, got 1.5'):
        QueryHead(16, SOURCES['learned'], DECODER, MATCHER, LOSSES, ranking=dict(alpha=1.5))
