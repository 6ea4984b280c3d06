# SPDX-License-Identifier: Apache-2.0
"""SG-DETR as a whole."""

import math
from pathlib import Path

import pytest
import torch
from reference_values.common import extend_padding, single
from torch import nn

from vtg.engine import load_config
from vtg.evaluation.records import to_records
from vtg.registry import MODELS
from vtg.structures import GroundingTargets

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
# 7, 9 and 1 are no multiples of four.
CLIPS, WORDS = (12, 7, 9, 1), (5, 1, 4, 2)


def arguments(batch, training=True):
    targets = GroundingTargets.from_batch(batch, torch.device('cpu')) if training else None
    return {**batch, 'targets': targets}


def predict(model, batch):
    model.eval()
    with torch.no_grad():
        given = arguments(batch, training=False)
        return model(**given, mode='tensor'), to_records(model(**given, mode='predict'))


def losses_of(model, batch):
    model.train()
    torch.manual_seed(1)
    return model(**arguments(batch), mode='loss')


def close(a, b, tolerance=1e-5):
    return a.shape == b.shape and torch.allclose(a, b, rtol=tolerance, atol=tolerance)


def test_each_sample_alone_predicts_what_it_does_in_a_batch(toy, sgdetr):
    model, batch = sgdetr(), toy.batch(CLIPS, WORDS)
    state, records = predict(model, batch)
    for index, clips in enumerate(CLIPS):
        alone, (record,) = predict(model, single(batch, index))
        assert close(state.saliency[index, :clips], alone.saliency[0])
        assert close(state.local_saliency[index, :clips], alone.local_saliency[0])
        count = alone.spans.shape[1]
        assert close(state.spans[index, :count], alone.spans[0])
        assert close(state.span_scores[index, :count], alone.span_scores[0])
        dense, other = (s.moment_outputs['dense'] for s in (state, alone))
        for name in ('logits', 'centerness', 'spans'):
            ours, theirs = getattr(dense, name)[index], getattr(other, name)[0]
            assert close(ours[dense.mask[index]], theirs[other.mask[0]])
        batched = records[index]
        assert batched['qid'] == record['qid'] and set(record['alternatives']) == {'detr', 'atss'}
        for ours, theirs in (
            (batched['pred_relevant_windows'], record['pred_relevant_windows']),
            *((batched['alternatives'][n], record['alternatives'][n]) for n in ('detr', 'atss')),
        ):
            assert close(torch.tensor(ours), torch.tensor(theirs), 2e-4)  # four digits
        assert len(batched['pred_saliency_scores']) == clips
        ours, theirs = (torch.tensor(r['pred_saliency_scores']) for r in (batched, record))
        assert close(ours, theirs, 1e-3)  # float16


def test_more_padding_changes_neither_losses_nor_gradients(toy, sgdetr):
    model, batch = sgdetr(), toy.batch(CLIPS, WORDS)
    results = []
    for one in (batch, extend_padding(batch)):
        model.zero_grad()
        # Collab fillers are drawn from cells, whose number depends on the padding.
        model.moment_head.choose_anchors = positives_only
        losses = losses_of(model, one)
        sum(losses.values()).backward()
        results.append((losses, [parameter.grad.clone() for parameter in model.parameters()]))
    (first, gradients), (second, others) = results
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert close(value, second[name], 2e-5), name
    largest = max(grad.abs().max() for grad in gradients)
    assert max((a - b).abs().max() for a, b in zip(gradients, others)) < 1e-4 * largest


def positives_only(dense):
    positive = dense.assignment.positive
    count = int(positive.sum(1).max())
    order = (~positive).to(torch.uint8).argsort(dim=1, stable=True)[:, :count]
    return order, positive.gather(1, order)


def test_losses_of_equal_samples_are_those_of_one(toy, sgdetr):
    without = ('negatives', 'local_saliency_head.losses.negative', 'saliency_head.losses.negative')
    model = sgdetr({'auxiliary': None, **dict.fromkeys(without)})
    one = toy.batch((12,), (5,))
    batch = {name: value.expand(3, *value.shape[1:]) for name, value in one.items()
             if isinstance(value, torch.Tensor)}  # fmt: skip
    targets = {name: value.expand(3, *value.shape[1:]) for name, value in one['targets'].items()}
    model.moment_head.choose_anchors = positives_only
    single_losses = losses_of(model, one)
    many = losses_of(model, {**batch, 'targets': targets, 'meta': one['meta'] * 3})
    for name, value in single_losses.items():
        assert close(many[name], value), name


@pytest.mark.parametrize('denoising', [None, dict(type='DenoisingGenerator', num_queries=8)])
def test_main_outputs_do_not_depend_on_extra_queries(toy, sgdetr, denoising):
    extras = dict(denoising=dict(generator=denoising))
    options = {'moment_head.query_head.extras': extras}
    model, batch = sgdetr(options), toy.batch((24, 17), (5, 2))
    with torch.no_grad():
        trained = model.train()(**arguments(batch), mode='tensor')
        assert trained.moment_outputs['queries'].extra == {}  # no targets, no extra queries
        state = trained.update(targets=arguments(batch)['targets'])
        outputs = model.run(state, ['moment_head'])
    expected = {'collab', 'denoising'} if denoising else {'collab'}
    assert set(outputs.moment_outputs['queries'].extra) == expected
    assert close(outputs.spans, trained.spans) and close(outputs.span_scores, trained.span_scores)
    first, second = (s.moment_outputs['queries'].predictions for s in (outputs, trained))
    for name in ('logits', 'spans', 'quality'):
        assert close(getattr(first, name), getattr(second, name))


def test_local_saliency_gates_the_fusion(toy, sgdetr):
    """Wide open it is plain cross-attention; closed, the words do not come in at all."""
    gated, plain = sgdetr(), sgdetr({'fusion.gate': False})
    plain.load_state_dict(gated.state_dict())
    batch = toy.batch(CLIPS, WORDS)
    for shift, same in ((1e4, True), (0.0, False)):
        for model in (gated, plain):
            model.local_saliency_head.shift.data.fill_(shift)
        first, second = (predict(model, batch)[0].fused for model in (gated, plain))
        assert close(first, second) == same
    gated.local_saliency_head.shift.data.fill_(-1e4)
    other = {**batch, 'text': torch.randn_like(batch['text'])}
    assert close(predict(gated, batch)[0].memory, predict(gated, other)[0].memory)


def test_state_dict_round_trip(toy, sgdetr, sgdetr_config, tmp_path):
    model, batch = sgdetr(), toy.batch(CLIPS, WORDS)
    torch.save(model.state_dict(), tmp_path / 'weights.pth')
    other = MODELS.build(sgdetr_config())
    before, after = predict(other, batch), None
    other.load_state_dict(torch.load(tmp_path / 'weights.pth', weights_only=True), strict=True)
    after = predict(other, batch)
    assert not torch.equal(before[0].spans, after[0].spans)
    assert predict(model, batch)[1] == after[1]


def test_every_parameter_learns(toy, sgdetr, without_gradient):
    model = sgdetr()
    losses = losses_of(model, toy.batch((80, 60, 50), (5, 2, 4)))
    sum(losses.values()).backward()
    assert without_gradient(model) == []
    assert all(value.isfinite() for value in losses.values())


@pytest.mark.parametrize('official', [False, True])
def test_degenerate_batches(toy, sgdetr, official):
    """No moments, one sample, one clip, one word, no true negative: defined, with gradient."""
    model = sgdetr(official=official)
    for batch in (
        toy.batch((8, 4), (1, 3), moments=[[], []]),
        toy.batch((4,), (1,), moments=[[(0, 4)]]),
        toy.batch((8, 4), (2, 2), sources=[3, 3]),
        *([] if official else [toy.batch((1, 1), (1, 1), moments=[[(0, 1)], []])]),
    ):
        model.zero_grad()
        losses = losses_of(model, batch)
        assert all(value.isfinite() for value in losses.values()), losses
        sum(losses.values()).backward()
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        assert all(gradient.isfinite().all() for gradient in gradients)
        _, records = predict(model, batch)
        assert all(record['pred_relevant_windows'] for record in records)


def test_published_windows_lie_on_the_grid_within_the_video(toy, sgdetr):
    _, records = predict(sgdetr(), toy.batch((80, 40), (3, 3)))
    for record in records:
        lists = [record['pred_relevant_windows'], *record['alternatives'].values()]
        for start, end, score in (window for windows in lists for window in windows):
            assert 0 <= start < end <= 150 and start % 2 == 0 and end % 2 == 0
            assert 0 <= score <= 1 and round(score, 4) == score
        scores = [window[2] for window in record['pred_relevant_windows']]
        assert scores == sorted(scores, reverse=True)


@pytest.fixture(scope='module')
def published():
    torch.manual_seed(0)
    return MODELS.build(load_config(CONFIGS / 'sgdetr/qvhl.py').model)


def test_number_of_parameters(published):
    # The released model has a text position table of 26 112 more that it never uses.
    assert sum(p.numel() for p in published.parameters()) == 13_472_294 - 26_112 == 13_446_182


def test_stacked_layers_start_equal(published):
    for layers in (
        published.fusion.layers,
        published.encoder.layers.layers,
        published.local_saliency_head.pooling.layers,
        published.moment_head.query_head.decoder.layers,
    ):
        first = layers[0].state_dict()
        assert len(layers) > 1
        for layer in layers[1:]:
            assert all(torch.equal(v, first[name]) for name, v in layer.state_dict().items())


def test_biases_follow_the_prior(published):
    logit, head = math.log(0.35 / 0.65), published.moment_head
    assert head.query_head.class_head.bias.item() == pytest.approx(logit)
    assert head.dense_head.class_conv.conv.bias.item() == pytest.approx(logit)
    assert head.query_head.queries.class_head.bias.item() == pytest.approx(logit)
    assert head.query_head.queries.quality_head.bias.item() == pytest.approx(2 * logit)
    assert not head.query_head.quality_head[-1].bias.any()


def test_heads_that_start_at_zero(published):
    query = published.moment_head.query_head
    for layer in (
        published.saliency_head.offset,
        query.span_head[-1],
        query.decoder.refine[-1],
        query.queries.span_head[-1],
    ):
        assert not layer.weight.any() and not layer.bias.any()


def test_scales_of_the_initial_weights(published):
    def std(weight):
        return weight.std().item()

    def limit(fan_in, fan_out, gain=1.0):
        return gain * math.sqrt(6 / (fan_in + fan_out))

    head = published.moment_head
    for weight in (
        published.neck.up2.conv1.pointwise.weight,
        head.dense_head.class_tower.convs[0].conv.weight,
        head.query_head.class_head.weight,
        head.query_head.queries.class_head.weight,
        head.collab_content[0].weight,
    ):
        assert std(weight) == pytest.approx(0.01, rel=0.15)
    video = [m for m in published.video_projector.layers if isinstance(m, nn.Linear)]
    feed_forward = published.encoder.layers.layers[0].feed_forward
    gain = math.sqrt(2 / (1 + 0.25**2))
    for weight, expected in (
        (video[0].weight, limit(514, 256, math.sqrt(2))),
        (video[1].weight, limit(256, 256)),
        (feed_forward[0].weight, limit(256, 1024, gain)),
        (feed_forward[3].weight, limit(1024, 256)),
        (published.fusion.layers[0].attention.out_proj.weight, limit(256, 256)),
        (published.encoder.layers.layers[0].attention.in_proj_weight, limit(256, 768)),
        (published.encoder.layers.layers[0].attention.out_proj.weight, limit(256, 256)),
        (head.query_head.decoder.layers[0].self_value.weight, limit(256, 256)),
        (head.query_head.queries.project.weight, limit(256, 256)),
    ):
        assert 0.99 * expected < weight.abs().max().item() <= expected + 1e-6
    pooling = published.local_saliency_head.pooling.layers[0]
    assert std(pooling.feed_forward[0].weight) == pytest.approx(0.02, rel=0.05)
    assert std(published.embedding.modality.weight) == pytest.approx(0.02, rel=0.15)
    slopes = [m.weight for m in published.modules() if isinstance(m, nn.PReLU)]
    assert slopes and all(slope.tolist() == [0.25] for slope in slopes)
