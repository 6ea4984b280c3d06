# SPDX-License-Identifier: Apache-2.0
"""The decoder of learned slots against PyTorch's, and its independence of padding."""

import torch
from torch import nn

from vtg.models.layers import SlotDecoder

DIM, HEADS, HIDDEN = 16, 4, 32


def decoder(layers=2):
    model = SlotDecoder(DIM, layers, HEADS, HIDDEN, dropout=0.0, residual_dropout=0.0)
    return model.eval()


def pytorch_attention(layer):
    theirs = nn.MultiheadAttention(DIM, HEADS, batch_first=True)
    theirs.load_state_dict(layer.state_dict())
    return theirs


def inputs(batch=2, queries=5, length=7):
    content, position = torch.randn(batch, queries, DIM), torch.randn(batch, queries, DIM)
    memory, where = torch.randn(batch, length, DIM), torch.randn(batch, length, DIM)
    mask = torch.arange(length)[None] < torch.tensor([[length], [4]])[:batch]
    return content, position, memory, mask, where


def test_without_positions_a_layer_is_pytorchs_decoder_layer():
    model = decoder(1)
    ours = model.layers[0]
    theirs = nn.TransformerDecoderLayer(DIM, HEADS, HIDDEN, 0.0, batch_first=True).eval()
    theirs.self_attn.load_state_dict(ours.self_attention.state_dict())
    theirs.multihead_attn.load_state_dict(ours.cross_attention.state_dict())
    theirs.linear1.load_state_dict(ours.feed_forward[0].state_dict())
    theirs.linear2.load_state_dict(ours.feed_forward[3].state_dict())
    content, _, memory, mask, _ = inputs()
    nothing, nowhere = torch.zeros_like(content), torch.zeros_like(memory)
    with torch.no_grad():
        found = model(content, nothing, memory, mask, nowhere)
        expected = theirs(content, memory, memory_key_padding_mask=~mask)
    torch.testing.assert_close(found.hidden[0], expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found.normed, model.norm(found.hidden))
    assert found.references is None and found.refined is None


def test_positions_shift_queries_and_keys_but_not_values():
    model = decoder(1)
    content, position, memory, mask, where = inputs()
    layer = model.layers[0]
    with torch.no_grad():
        found = model(content, position, memory, mask, where).hidden[0]
        query = content + position
        attend = pytorch_attention(layer.self_attention)
        x = layer.norm1(content + attend(query, query, content)[0])
        attend = pytorch_attention(layer.cross_attention)
        attended, _ = attend(x + position, memory + where, memory, key_padding_mask=~mask)
        x = layer.norm2(x + attended)
        expected = layer.norm3(x + layer.feed_forward(x))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_padding_and_blocked_queries_do_not_matter():
    model = decoder()
    content, position, memory, mask, where = inputs()
    with torch.no_grad():
        whole = model(content, position, memory, mask, where).normed
        noise = torch.where(mask[..., None], memory, torch.randn_like(memory))
        torch.testing.assert_close(model(content, position, noise, mask, where).normed, whole)
        alone = model(content[1:], position[1:], memory[1:, :4], mask[1:, :4], where[1:, :4])
        torch.testing.assert_close(alone.normed[:, 0], whole[:, 1], rtol=1e-5, atol=1e-5)
        blocked = torch.zeros(5, 5, dtype=torch.bool)
        blocked[:3, 3:] = blocked[3:, :3] = True
        for mask_of_queries in (blocked, blocked.expand(2, 5, 5)):
            apart = model(content, position, memory, mask, where, blocked=mask_of_queries).normed
            few = model(content[:, :3], position[:, :3], memory, mask, where).normed
            torch.testing.assert_close(apart[:, :, :3], few, rtol=1e-5, atol=1e-5)
