# SPDX-License-Identifier: Apache-2.0
"""Slots that share out tokens, against loops over slots and tokens."""

import pytest
import torch
import torch.nn.functional as F

from vtg.models.layers import SlotAttention

DIM, SLOTS = 8, 3
MASK = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])


def make(shaken, **options):
    return shaken(SlotAttention(DIM, **options), 0.3).eval()


def naive(module, slots, tokens, real, count_padding):
    """One sample; ``real`` tokens come first."""
    tokens = F.layer_norm(tokens, (DIM,), module.norm_inputs.weight, module.norm_inputs.bias)
    for _ in range(module.num_iterations):
        shares = torch.zeros(SLOTS, len(tokens))
        for j, token in enumerate(tokens):
            if j < real:
                key = module.key(token)
                scores = [module.query(module.norm_slots(s)) @ key / DIM**0.5 for s in slots]
                shares[:, j] = torch.stack(scores).softmax(0)
            elif count_padding:
                shares[:, j] = 1 / SLOTS
        updated = []
        for slot, share in zip(slots, shares):
            taken = sum(w * module.value(t) for w, t in zip(share / share.sum(), tokens))
            slot = slot + taken
            updated.append(slot + module.mlp(module.norm_mlp(slot)))
        slots = torch.stack(updated)
    return module.norm_out(slots)


@pytest.mark.parametrize('mask_padding', [True, False])
@pytest.mark.parametrize('hidden_dims', [None, (5, 6)])
def test_against_loops(shaken, mask_padding, hidden_dims):
    module = make(shaken, mask_padding=mask_padding, hidden_dims=hidden_dims, num_iterations=2)
    slots, tokens = torch.randn(2, SLOTS, DIM), torch.randn(2, 6, DIM)
    with torch.no_grad():
        found = module(slots, tokens, MASK)
        for b, real in enumerate((6, 4)):
            expected = naive(module, slots[b], tokens[b], real, not mask_padding)
            assert torch.allclose(found[b], expected, atol=1e-5)


def test_padding_reaches_slots_only_on_request(shaken):
    slots, tokens = torch.randn(2, SLOTS, DIM), torch.randn(2, 6, DIM)
    for mask_padding in (True, False):
        module = make(shaken, mask_padding=mask_padding)
        with torch.no_grad():
            batch = module(slots, tokens, MASK)[1:]
            alone = module(slots[1:], tokens[1:, :4], MASK[1:, :4])
        assert torch.allclose(batch, alone, atol=1e-5) == mask_padding


def test_equal_slots_stay_equal(shaken):
    module = make(shaken)
    slots = torch.randn(2, 1, DIM).expand(-1, SLOTS, -1)
    found = module(slots, torch.randn(2, 6, DIM), MASK)
    assert torch.allclose(found, found[:, :1].expand_as(found), atol=1e-6)
