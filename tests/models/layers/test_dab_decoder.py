# SPDX-License-Identifier: Apache-2.0
"""The dynamic-anchor decoder of QD-DETR as options of the span decoder."""

import torch

from vtg.models.layers import SpanDecoder, inverse_sigmoid, sine_span_embedding

DIM, HEADS = 16, 4


def heads(x):
    return x.unflatten(-1, (HEADS, -1)).transpose(1, 2)


def attend(query, key, value, mask, project):
    scores = heads(query) @ heads(key).transpose(-1, -2) / (query.shape[-1] / HEADS) ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask[:, None, None], -torch.inf)
    return project((scores.softmax(-1) @ heads(value)).transpose(1, 2).flatten(-2))


def pair(content, position):
    return torch.cat((heads(content), heads(position)), dim=-1).transpose(1, 2).flatten(-2)


def reference_run(model, reference, memory, mask, where):
    """The decoder as the paper's code computes it, step by step."""
    x, entering = torch.zeros(*reference.shape[:2], DIM), reference
    states, references = [], []
    for index, layer in enumerate(model.layers):
        references.append(entering)
        sine = sine_span_embedding(entering, DIM)
        position = model.position_head(sine)
        if index > 0:
            sine = sine * model.query_scale(x)
        sine = sine * model.width_head(x).sigmoid() / entering[..., 1:]
        query = layer.self_query_content(x) + layer.self_query_position(position)
        key = layer.self_key_content(x) + layer.self_key_position(position)
        project = layer.self_attention.out_proj
        x = layer.norm1(x + attend(query, key, layer.self_value(x), None, project))
        query, key = layer.cross_query_content(x), layer.cross_key_content(memory)
        where_key = layer.cross_key_position(where)
        if index == 0:
            query = query + layer.cross_query_position(position)
            key = key + where_key
        query, key = pair(query, layer.cross_query_sine(sine)), pair(key, where_key)
        project = layer.cross_attention.out_proj
        x = layer.norm2(x + attend(query, key, layer.cross_value(memory), mask, project))
        x = layer.norm3(x + layer.feed_forward(x))
        entering = (model.refine(x) + inverse_sigmoid(entering)).sigmoid()
        states.append(model.norm(x))
    return torch.stack(states), torch.stack(references)


def test_decoder_follows_the_published_steps():
    model = SpanDecoder(
        DIM, 3, HEADS, 32, dropout=0.0, drop_path=0.0, init='xavier', positions=dict(
            scale_first_layer=False, chained_key_position=False, add_first_position=True
        ),
    ).eval()  # fmt: skip
    assert model.layers[0].cross_query_position is not None
    assert all(layer.cross_query_position is None for layer in model.layers[1:])
    reference, memory = torch.rand(2, 5, 2) * 0.8 + 0.1, torch.randn(2, 7, DIM)
    where, mask = torch.randn(2, 7, DIM), torch.arange(7)[None] < torch.tensor([[7], [3]])
    with torch.no_grad():
        found = model(torch.zeros(2, 5, DIM), reference, memory, mask, where)
        states, references = reference_run(model, reference, memory, mask, where)
    torch.testing.assert_close(found.normed, states, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.references, references, rtol=1e-4, atol=1e-5)


def test_refinement_learns_from_the_next_layer_only():
    model = SpanDecoder(DIM, 2, HEADS, 32, dropout=0.0, drop_path=0.0, init='xavier')
    mask = torch.ones(1, 6, dtype=torch.bool)
    memory, where = torch.randn(1, 6, DIM), torch.randn(1, 6, DIM)
    reference = torch.rand(1, 4, 2).requires_grad_()
    found = model(torch.zeros(1, 4, DIM), reference, memory, mask, where)
    found.references[1].sum().backward(retain_graph=True)
    assert model.refine[-1].weight.grad.abs().sum() > 0
    model.zero_grad()
    # The state of the second layer starts from a constant reference.
    found.normed[1].square().sum().backward()
    assert model.refine[-1].weight.grad is None or not model.refine[-1].weight.grad.any()
