# SPDX-License-Identifier: Apache-2.0
"""Adaptive cross-attention and the context token made from its attention."""

import math

import pytest
import torch
import torch.nn.functional as F

from vtg.models.extras import Attention, Dummies
from vtg.models.fusions import ACA, MomentAdaptiveToken
from vtg.models.fusions.aca import text_share

HEADS, DUMMIES = 4, 3


def make(toy, shaken, **options):
    options = {'num_heads': HEADS, 'hidden_dim': 32, 'dropout': 0.0, 'drop_path': 0.0, **options}
    return shaken(ACA(toy.dim, **options))


def with_dummies(toy, **options):
    state = toy.state(**options)
    dummies = torch.randn(len(state.video), DUMMIES, toy.dim)
    return state.update(dummies=Dummies(dummies, torch.randn(DUMMIES, toy.dim)))


def feed_forward(layer, x):
    first, act, _, last = layer.feed_forward
    hidden = F.linear(F.layer_norm(x, x.shape, layer.norm1.weight, layer.norm1.bias), first.weight)
    hidden = hidden + first.bias
    hidden = torch.where(hidden > 0, hidden, act.weight * hidden)
    return F.linear(hidden, last.weight, last.bias)


def naive(fusion, one):
    """One sample without padding, clip by clip and head by head: video and mean attention."""
    size, text = one.video.shape[-1] // HEADS, one.text[0]
    keys = list(text + one.text_pos[0])
    if (dummies := one.extras.get(Dummies)) is not None:
        keys = [*(dummies.tokens[0] + dummies.positions), *keys]
    video, attention = one.video[0], 0
    for layer in fusion.layers:
        rows, maps = [], []
        for clip, position in zip(video, one.video_pos[0]):
            heads, weights_of_heads = [], []
            for h in range(HEADS):
                part = slice(h * size, (h + 1) * size)
                scores = [(clip + position)[part] @ key[part] / math.sqrt(size) for key in keys]
                weights = torch.stack(scores).softmax(0)
                weights_of_heads.append(weights)
                # Dummies take their share of the weight and give nothing.
                heads.append(sum(w * word[part] for w, word in zip(weights[-len(text) :], text)))
            z = clip + layer.attention.out_proj(torch.cat(heads))
            out = z + feed_forward(layer, z)
            rows.append(F.layer_norm(out, out.shape, layer.norm2.weight, layer.norm2.bias))
            maps.append(torch.stack(weights_of_heads).mean(0))
        video, attention = torch.stack(rows), attention + torch.stack(maps) / len(fusion.layers)
    return video, attention


@pytest.mark.parametrize('dummies', [True, False])
def test_against_loops(toy, shaken, dummies):
    fusion, state = make(toy, shaken), with_dummies(toy)
    if not dummies:
        state = state.update(dummies=None)
    with torch.no_grad():
        values = fusion(state)
        for b in range(3):
            one = toy.alone(state, b)
            video, attention = naive(fusion, one)
            clips, keys = attention.shape
            assert torch.allclose(values['fused'][b, :clips], video, atol=1e-4)
            assert torch.allclose(
                values['attention'].weights[b, :clips, :keys], attention, atol=1e-5
            )
            assert values['attention'].weights[b, :, keys:].abs().sum() == 0


@pytest.mark.parametrize('options', [{}, {'project': True}, {'mask_layout': 'tiled'}])
def test_padding_matters_only_to_the_released_mask(toy, shaken, options):
    context = dict(type='MomentAdaptiveToken', dim=toy.dim, num_prompts=4, num_selected=2)
    fusion = make(toy, shaken, context=context, **options).eval()
    state = with_dummies(toy, clips=(12, 3, 9), words=(6, 1, 4))

    def run(given):
        values = fusion(given)
        share = text_share(given.update(**values))
        mask = given.video_mask
        return {
            'fused': (values['fused'], mask),
            'share': (share, mask),
            'context': (values['context'].token, None),
        }

    if 'mask_layout' in options:
        with pytest.raises(AssertionError):
            toy.assert_padding_free(run, state)
    else:
        toy.assert_padding_free(run, state)


def test_share_of_the_words(toy, shaken):
    fusion, state = make(toy, shaken), with_dummies(toy)
    state = state.update(**fusion(state))
    share = text_share(state)
    assert torch.allclose(
        share + state.extras[Attention].weights[..., :DUMMIES].sum(-1), torch.ones_like(share)
    )
    plain = state.update(dummies=None)
    plain = plain.update(**fusion(plain))
    assert torch.allclose(text_share(plain), torch.ones_like(share), atol=1e-5)


def test_context_token_by_hand(toy, shaken):
    token = shaken(MomentAdaptiveToken(toy.dim, num_prompts=5, num_selected=2))
    state = toy.state()
    importance = torch.rand(3, 12)
    made = token(state.video, state.video_mask, importance)
    for b, length in enumerate((12, 7, 9)):
        clips = state.video[b, :length]
        mean, weight = clips.mean(0), importance[b, :length] / importance[b, :length].sum()
        score = 0
        for clip, w in zip(clips, weight):
            cosines = [F.cosine_similarity(clip - mean, prompt, dim=0) for prompt in token.prompts]
            score = score + w * torch.stack(cosines).softmax(0)
        best = score.argsort(descending=True)[:2]
        expected = mean + sum(score[k] * token.prompts[k] for k in best)
        assert torch.allclose(made[b], expected, atol=1e-5)


def test_the_context_passes_the_layers_without_keys(toy, shaken):
    context = dict(type='MomentAdaptiveToken', dim=toy.dim)
    fusion, state = make(toy, shaken, context=context), with_dummies(toy)
    values = fusion(state)
    token = fusion.context(state.video, state.video_mask, text_share(state.update(**values)))
    for layer in fusion.layers:
        z = token + layer.attention.out_proj.bias
        token = layer.norm2(z + layer.feed_forward(layer.norm1(z)))
    assert torch.allclose(values['context'].token, token, atol=1e-5)
    assert 'context' in fusion.provides
    assert 'context' not in make(toy, shaken).provides


def test_losses_on_the_share(toy, shaken):
    losses = dict(
        bce=dict(type='SaliencyBCELoss', probability=True, weight=0.5),
        negative=dict(type='NegativePairLoss', probability=True, min_probability=1e-6),
    )
    context = dict(type='MomentAdaptiveToken', dim=toy.dim, orthogonal_weight=1.0)
    fusion, state = make(toy, shaken, losses=losses, context=context), with_dummies(toy)
    state = state.update(**fusion(state))
    negative = state.roll_text()
    negative = negative.update(**fusion(negative))
    state = state.update(negative=negative, negative_valid=torch.tensor([True, True, False]))
    terms = fusion.loss(state)
    share, other, mask = text_share(state), text_share(negative), state.video_mask
    target = (state.targets.saliency > 0).float()
    bce = F.binary_cross_entropy(share[mask], target[mask])
    assert terms['loss_attention_bce'].item() == pytest.approx(0.5 * bce.item(), rel=1e-5)
    pairs = [-(1 - other[b][mask[b]]).log().sum().item() for b in range(2)]
    assert terms['loss_attention_negative'].item() == pytest.approx(sum(pairs) / 2, rel=1e-4)
    assert terms['loss_prompt_orthogonality'] > 0
    sum(terms.values()).backward()
    assert fusion.context.prompts.grad.abs().sum() > 0
