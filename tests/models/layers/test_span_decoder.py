# SPDX-License-Identifier: Apache-2.0
"""The decoder whose queries are spans, against a calculation query by query."""

import math

import pytest
import torch
import torch.nn.functional as F

from vtg.models.layers import SpanDecoder

DIM, HEADS, QUERIES = 8, 2, 4
MASK = torch.tensor([[True] * 5, [True] * 2 + [False] * 3])


def make(shaken, **options):
    defaults = dict(num_layers=3, num_heads=HEADS, hidden_dim=16, dropout=0.0, drop_path=0.0)
    decoder = SpanDecoder(DIM, **{**defaults, **options})
    return shaken(decoder, 0.3).eval()


def inputs():
    return dict(
        content=torch.randn(2, QUERIES, DIM),
        reference=torch.rand(2, QUERIES, 2) * 0.8 + 0.1,
        memory=torch.randn(2, 5, DIM),
        memory_mask=MASK,
        memory_position=torch.randn(2, 5, DIM),
    )


def sine(span):
    values = []
    for part in span:
        for k in range(DIM // 2):
            phase = part * 2 * math.pi / 10000 ** (2 * (k // 2) / (DIM // 2))
            values.append(phase.sin() if k % 2 == 0 else phase.cos())
    return torch.stack(values)


def attend(module, queries, keys, values, seen, scale):
    """Concatenated heads; ``queries[i][h]`` and ``keys[j][h]`` are vectors."""
    size = DIM // HEADS
    rows = []
    for i, query in enumerate(queries):
        heads = []
        for h in range(HEADS):
            scores = torch.stack([query[h] @ keys[j][h] * scale for j in seen(i)]).softmax(0)
            part = slice(h * size, (h + 1) * size)
            heads.append(sum(w * values[j][part] for w, j in zip(scores, seen(i))))
        rows.append(module.out_proj(torch.cat(heads)))
    return torch.stack(rows)


def heads_of(x):
    return x.view(HEADS, DIM // HEADS)


def naive(decoder, content, reference, memory, position, blocked, scale_first=True):
    """One sample; yields the state and span that leave every layer."""
    x, ref = content, reference
    size = DIM // HEADS
    for number, layer in enumerate(decoder.layers):
        e = torch.stack([sine(span) for span in ref])
        p = decoder.position_head(e)
        scale = decoder.query_scale(x) if scale_first or number else 1.0
        qs = e * scale * decoder.width_head(x).sigmoid() / ref[:, 1:].clamp(min=1e-3)
        p1 = layer.self_query_position(p)
        q = layer.self_query_content(x) + p1
        k = layer.self_key_content(x) + layer.self_key_position(p1)
        v = layer.self_value(x)
        visible = lambda i: [j for j in range(len(x)) if not blocked[i, j]]  # noqa: E731, B023
        attended = attend(
            layer.self_attention, list(map(heads_of, q)), list(map(heads_of, k)), v, visible,
            size**-0.5,
        )  # fmt: skip
        x = layer.norm1(x + attended)
        pairs = [
            [
                torch.cat(pair, dim=-1)
                for pair in zip(map(heads_of, content_part), map(heads_of, position_part))
            ]
            for content_part, position_part in (
                (layer.cross_query_content(x), layer.cross_query_sine(qs)),
                (layer.cross_key_content(memory), layer.cross_key_position(position)),
            )
        ]
        everything = lambda i: range(len(memory))  # noqa: E731
        attended = attend(
            layer.cross_attention, *pairs, layer.cross_value(memory), everything,
            (2 * size) ** -0.5,
        )  # fmt: skip
        x = layer.norm2(x + attended)
        x = layer.norm3(x + layer.feed_forward(x))
        logit = torch.log(ref.clamp(min=1e-3) / (1 - ref).clamp(min=1e-3))
        ref = (decoder.refine(x) + logit).sigmoid()
        yield x, ref


@pytest.mark.parametrize('scale_first', [True, False])
def test_against_loops(shaken, scale_first):
    decoder, given = make(shaken, positions=dict(scale_first_layer=scale_first)), inputs()
    blocked = torch.zeros(QUERIES, QUERIES, dtype=torch.bool)
    blocked[0, 1:] = blocked[2, 3] = True
    with torch.no_grad():
        out = decoder(**given, blocked=blocked)
        for b, length in enumerate(MASK.sum(1)):
            steps = naive(
                decoder, given['content'][b], given['reference'][b], given['memory'][b, :length],
                given['memory_position'][b, :length], blocked, scale_first,
            )  # fmt: skip
            entering = given['reference'][b]
            for number, (x, leaving) in enumerate(steps):
                assert torch.allclose(out.hidden[number, b], x, atol=1e-4)
                normed = F.layer_norm(x, (DIM,), decoder.norm.weight, decoder.norm.bias)
                assert torch.allclose(out.normed[number, b], normed, atol=1e-4)
                assert torch.allclose(out.references[number, b], entering, atol=1e-5)
                assert torch.allclose(out.refined[number, b], leaving, atol=1e-5)
                entering = leaving


def test_padded_memory_is_never_seen(shaken):
    decoder, given = make(shaken), inputs()
    first = decoder(**given).normed
    other = torch.where(MASK[..., None], given['memory'], torch.randn(2, 5, DIM))
    assert torch.allclose(decoder(**{**given, 'memory': other}).normed, first, atol=1e-6)
    alone = {name: value[1:] for name, value in given.items()}
    alone |= {name: alone[name][:, :2] for name in alone if name.startswith('memory')}
    assert torch.allclose(decoder(**alone).normed[:, 0], first[:, 1], atol=1e-5)


def test_hidden_queries_do_not_reach_the_others(shaken):
    decoder, given = make(shaken), inputs()
    blocked = torch.tensor([[False, False, False, True]] * 3 + [[False] * 4])
    out = decoder(**given, blocked=blocked).normed
    changed = given['content'].clone()
    changed[:, 3] += 1
    other = decoder(**{**given, 'content': changed}, blocked=blocked).normed
    assert torch.allclose(out[:, :, :3], other[:, :, :3], atol=1e-6)
    assert not torch.allclose(out[:, :, 3], other[:, :, 3], atol=1e-2)


def test_gradient_stops_between_layers_but_reaches_the_refinement_before(shaken):
    decoder, given = make(shaken, num_layers=2), inputs()
    given['reference'].requires_grad_()
    out = decoder(**given)
    # The span that enters layer 1 carries gradient to the refinement of layer 0 ...
    weight = decoder.refine[-1].weight
    entering = torch.autograd.grad(out.references[1].sum(), weight, retain_graph=True)
    assert entering[0].abs().sum() > 0
    # ... but the layer itself works on a constant.
    last = torch.autograd.grad(out.hidden[1].sum(), weight, allow_unused=True)
    assert last[0] is None


def test_widths_near_zero(shaken):
    given = inputs()
    given['reference'][..., 1] = 0.0
    assert make(shaken)(**given).normed.isfinite().all()
    below = {**given, 'reference': given['reference'] + torch.tensor([0.0, 1e-4])}
    clamped, published = make(shaken), make(shaken, positions=dict(min_width=0.0))
    published.load_state_dict(clamped.state_dict())
    assert not torch.allclose(clamped(**below).normed, published(**below).normed, atol=1e-3)


def test_layers_start_equal_and_refinement_at_zero():
    decoder = SpanDecoder(DIM, num_heads=HEADS, hidden_dim=16)
    first = decoder.layers[0].state_dict()
    for layer in decoder.layers[1:]:
        assert all(torch.equal(value, first[name]) for name, value in layer.state_dict().items())
    out = decoder.eval()(**inputs())
    assert torch.allclose(out.refined, out.references, atol=1e-6)


def test_first_position_is_added_in_the_first_layer_only(shaken):
    decoder = make(shaken, positions=dict(add_first_position=True, chained_key_position=False))
    has = [layer.cross_query_position is not None for layer in decoder.layers]
    assert has == [True, False, False]
    assert decoder(**inputs()).normed.isfinite().all()


def test_gradients_reach_every_parameter(shaken, without_gradient):
    decoder = make(shaken)
    out = decoder(**inputs())
    (out.normed.square().sum() + out.refined.sum()).backward()
    assert without_gradient(decoder) == []


def test_wide_code_has_all_channels_for_centre_and_width(shaken):
    """Cross-attention looks for the centre alone; the width reaches it by the modulation only."""
    decoder = make(shaken, positions=dict(wide_code=True, scale_first_layer=False), num_layers=1)
    assert decoder.position_head[0].in_features == 2 * DIM
    given = inputs()
    seen = []
    decoder.layers[0].register_forward_pre_hook(lambda module, args: seen.append(args[1:3]))
    with torch.no_grad():
        decoder(**given)
        (position, code), reference = seen[0], given['reference']
        codes = []
        for part in reference.unbind(-1):
            phases = [part * 2 * math.pi / 10000 ** (2 * (k // 2) / DIM) for k in range(DIM)]
            waves = [p.cos() if k % 2 else p.sin() for k, p in enumerate(phases)]
            codes.append(torch.stack(waves, dim=-1))
        centre, width = codes
        factor = decoder.width_head(given['content']).sigmoid() / reference[..., 1:]
        assert torch.allclose(code, centre * factor, atol=1e-5)
        joined = decoder.position_head(torch.cat((centre, width), dim=-1))
        assert torch.allclose(position, joined, atol=1e-5)


@pytest.mark.parametrize('predict_from', ['entering', 'leaving'])
def test_what_predictions_correct(shaken, predict_from):
    found = make(shaken, positions=dict(predict_from=predict_from))(**inputs())
    if predict_from == 'leaving':
        assert torch.equal(found.references, found.refined)
    else:
        assert torch.equal(found.references[1:], found.refined[:-1])


@pytest.mark.parametrize('detach', [False, True])
def test_gradient_of_the_first_reference(shaken, detach):
    decoder = make(shaken, positions=dict(detach_first=detach))
    given = inputs()
    given['reference'].requires_grad_()
    found = decoder(**given)
    found.hidden[-1].sum().backward(retain_graph=True)
    assert (given['reference'].grad is None) == detach
    # The prediction of the first layer reaches it in any case.
    found.references[0].sum().backward()
    assert (given['reference'].grad != 0).all()
