# SPDX-License-Identifier: Apache-2.0
"""Clip scores before fusion."""

import math

import pytest
import torch
import torch.nn.functional as F

from vtg.models.heads import CosineSaliencyHead
from vtg.utils import ConfigError

HEADS = 4
LOSSES = dict(bce=dict(type='SaliencyBCELoss'), negative=dict(type='NegativePairLoss', weight=2.0))


def make(toy, shaken, **options):
    options = {'num_heads': HEADS, 'hidden_dim': 32, 'dropout': 0.0, **options}
    return shaken(CosineSaliencyHead(toy.dim, **options))


def norm(layer, x):
    return F.layer_norm(x, x.shape[-1:], layer.weight, layer.bias)


def naive_sentence(pooling, text):
    """Words of one sample to its sentence, head by head."""
    sentence, size = pooling.query, text.shape[-1] // HEADS
    for number, layer in enumerate(pooling.layers):
        if number > 0:
            sentence = norm(pooling.norm, sentence)
        words, heads = norm(layer.attention_norm, text), []
        for h in range(HEADS):
            part = slice(h * size, (h + 1) * size)
            scores = torch.stack([sentence[part] @ word[part] for word in words])
            weights = (scores / math.sqrt(size)).softmax(0)
            heads.append(sum(w * word[part] for w, word in zip(weights, words)))
        sentence = sentence + layer.attention.out_proj(torch.cat(heads))
        sentence = sentence + layer.feed_forward(norm(layer.feed_forward_norm, sentence))
    return sentence


@pytest.mark.parametrize('layers', [1, 2])
def test_against_loops(toy, shaken, layers):
    head, state = make(toy, shaken, num_layers=layers), toy.state()
    with torch.no_grad():
        out = head(state)
        for b in range(3):
            one = toy.alone(state, b)
            sentence = naive_sentence(head.pooling, one.projected_text[0])
            assert torch.allclose(out['sentence'][b], sentence, atol=1e-4)
            for i, clip in enumerate(one.projected_video[0]):
                cosine = clip @ sentence / clip.norm() / sentence.norm()
                score = head.scale.exp() * cosine + head.shift
                assert out['local_saliency'][b, i].item() == pytest.approx(score.item(), abs=1e-3)


def test_padding_does_not_matter(toy, shaken):
    head = make(toy, shaken, init_scale=0.0)

    def run(state):
        out = head(state)
        return {
            'sentence': (out['sentence'], None),
            'scores': (out['local_saliency'], state.video_mask),
        }

    toy.assert_padding_free(run, toy.state(clips=(12, 1, 9), words=(1, 6, 4)))


@pytest.mark.parametrize('video', ['projected', 'embedded'])
def test_negative_pass_takes_the_next_sentence(toy, shaken, video):
    head, state = make(toy, shaken, negative_video=video), toy.state()
    state = state.update(**head(state))
    negative = head(state.roll_text())
    assert torch.equal(negative['sentence'], state.sentence[[1, 2, 0]])
    clips = F.normalize(state.projected_video if video == 'projected' else state.video, dim=-1)
    for b in range(3):
        sentence = F.normalize(state.sentence[(b + 1) % 3], dim=-1)
        expected = clips[b] @ sentence * head.scale.exp() + head.shift
        assert torch.allclose(negative['local_saliency'][b], expected, atol=1e-4)


def test_losses_are_named_weighted_and_read_both_passes(toy, shaken):
    head, state = make(toy, shaken, losses=LOSSES), toy.state()
    state = state.update(**head(state))
    alone = head.loss(state)
    assert set(alone) == {'loss_local_saliency_bce', 'loss_local_saliency_negative'}
    assert alone['loss_local_saliency_negative'] == 0
    rolled = state.roll_text()
    negative = rolled.update(**head(rolled))
    state = state.update(negative=negative, negative_valid=torch.tensor([True, False, True]))
    scores = negative.local_saliency
    rows = [F.softplus(scores[b][state.video_mask[b]]).sum().item() for b in (0, 2)]
    value = head.loss(state)['loss_local_saliency_negative'].item()
    assert value == pytest.approx(2 * sum(rows) / 2, rel=1e-5)
    assert make(toy, shaken).loss(state) == {}


def test_initialisation():
    head = CosineSaliencyHead(64)
    assert head.scale.item() == 3.0 and head.shift.item() == 0.0
    assert 0.01 < head.pooling.query.std() < 0.03
    first, second = (layer.state_dict() for layer in head.pooling.layers)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert 0.018 < first['attention.out_proj.weight'].std() < 0.022
    assert not first['attention.out_proj.bias'].any() and not first['feed_forward.0.bias'].any()
    assert CosineSaliencyHead(64, num_layers=1).pooling.norm is None


def test_gradients_reach_every_parameter(toy, shaken, without_gradient):
    head, state = make(toy, shaken), toy.state()
    head(state)['local_saliency'].square().sum().backward()
    assert without_gradient(head) == []


def test_raw_features_are_compared_without_projections(toy, shaken):
    """The first columns of both, which share a space; positions behind them do not count."""
    head, state = make(toy, shaken, raw_dim=8), toy.state()
    with torch.no_grad():
        out = head(state)
        for b in range(3):
            one = toy.alone(state, b)
            sentence = naive_sentence(head.pooling, one.text_features[0])
            clips = one.video_features[0][:, :8]
            score = F.cosine_similarity(clips, sentence.expand_as(clips))
            expected = head.scale.exp() * score + head.shift
            assert torch.allclose(out['local_saliency'][b, : len(clips)], expected, atol=1e-4)
        other = state.update(projected_video=torch.randn_like(state.projected_video))
        assert torch.equal(head(other)['local_saliency'], out['local_saliency'])
    toy.assert_padding_free(lambda s: {'s': (head(s)['local_saliency'], s.video_mask)}, state)


def test_raw_features_that_do_not_fit(toy):
    with pytest.raises(ConfigError, match="set negative_video='projected'"):
        CosineSaliencyHead(toy.dim, raw_dim=8, negative_video='embedded')
    with pytest.raises(ConfigError, match='raw_dim is 12, but features have 10 columns'):
        CosineSaliencyHead(toy.dim, raw_dim=12, num_heads=HEADS)(toy.state())
