# SPDX-License-Identifier: Apache-2.0
"""Saliency-guided cross-attention."""

import math

import pytest
import torch
import torch.nn.functional as F

from vtg.models.fusions import SGCA

HEADS = 4


def make(toy, shaken, **options):
    options = {'num_heads': HEADS, 'hidden_dim': 32, 'dropout': 0.0, 'drop_path': 0.0, **options}
    return shaken(SGCA(toy.dim, **options))


def norm(layer, x):
    return F.layer_norm(x, x.shape[-1:], layer.weight, layer.bias)


def naive(fusion, video, position, text, saliency):
    """One sample without padding, clip by clip and head by head."""
    size = video.shape[-1] // HEADS
    for layer in fusion.layers:
        rows = []
        for i in range(len(video)):
            query, heads = video[i] + position[i], []
            keys, values = text, text
            if layer.attention.projections is not None:
                of_query, of_keys, of_values = layer.attention.projections
                query = of_query.weight @ query + of_query.bias
                keys = [of_keys.weight @ word + of_keys.bias for word in text]
                values = [of_values.weight @ word + of_values.bias for word in text]
            for h in range(HEADS):
                part = slice(h * size, (h + 1) * size)
                scores = torch.stack([query[part] @ word[part] for word in keys]) / math.sqrt(size)
                weights = scores.softmax(0) * saliency[i].sigmoid()
                heads.append(sum(w * word[part] for w, word in zip(weights, values)))
            out = layer.attention.out_proj
            z = video[i] + out.weight @ torch.cat(heads) + out.bias
            first, act, _, last = layer.feed_forward
            hidden = first.weight @ z + first.bias
            hidden = torch.where(hidden > 0, hidden, act.weight * hidden)
            branch = norm(layer.norm1, last.weight @ hidden + last.bias)
            rows.append(norm(layer.norm2, z + branch))
        video, text = norm(fusion.norm, torch.stack(rows)), norm(fusion.norm, text)
    return norm(fusion.norm, video)


@pytest.mark.parametrize('project', [False, True])
def test_against_loops(toy, shaken, project):
    fusion, state = make(toy, shaken, project=project), toy.state()
    state = state.update(text_pos=torch.zeros_like(state.text))
    with torch.no_grad():
        fused = fusion(state)['fused']
        for b in range(3):
            one = toy.alone(state, b)
            expected = naive(
                fusion, one.video[0], one.video_pos[0], one.text[0], one.local_saliency[0]
            )
            assert torch.allclose(fused[b][state.video_mask[b]], expected, atol=1e-4)


@pytest.mark.parametrize('options', [{}, {'gate': False}, {'project': True}])
def test_padding_does_not_matter(toy, shaken, options):
    fusion = make(toy, shaken, **options).eval()
    toy.assert_padding_free(
        lambda s: {'fused': (fusion(s)['fused'], s.video_mask)},
        toy.state(clips=(12, 1, 9), words=(1, 6, 4)),
    )


def test_limits_of_the_gate(toy, shaken):
    state, gated = toy.state(), make(toy, shaken)
    plain = make(toy, shaken, gate=False)
    plain.load_state_dict(gated.state_dict())
    wide_open = state.update(local_saliency=torch.full_like(state.local_saliency, 200.0))
    assert torch.allclose(gated(wide_open)['fused'], plain(state)['fused'], atol=1e-6)
    # Closed, nothing of the text comes in but the bias of the output projection.
    closed = state.update(local_saliency=torch.full_like(state.local_saliency, -200.0))
    other = closed.update(text=torch.randn_like(state.text))
    assert torch.allclose(gated(closed)['fused'], gated(other)['fused'], atol=1e-6)
    layer = gated.layers[0]
    attended = layer.attention(
        state.video, state.text, state.text, gate=closed.local_saliency.sigmoid()
    )
    assert torch.allclose(attended, layer.attention.out_proj.bias.expand_as(attended), atol=1e-6)


def test_needs_local_saliency_only_with_a_gate(toy):
    assert 'local_saliency' in SGCA(toy.dim).requires
    assert 'local_saliency' not in SGCA(toy.dim, gate=False).requires


def test_layers_start_equal(toy):
    fusion = SGCA(toy.dim, num_heads=HEADS, hidden_dim=32)
    first, second = (layer.state_dict() for layer in fusion.layers)
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize('project', [False, True])
def test_gradients_reach_every_parameter_and_the_saliency(toy, shaken, without_gradient, project):
    fusion, state = make(toy, shaken, project=project), toy.state()
    saliency = state.local_saliency.clone().requires_grad_()
    weight = torch.randn(toy.dim)
    fused = fusion(state.update(local_saliency=saliency))['fused']
    (fused * weight)[state.video_mask].square().sum().backward()
    assert without_gradient(fusion) == []
    assert (saliency.grad != 0).equal(state.video_mask)
