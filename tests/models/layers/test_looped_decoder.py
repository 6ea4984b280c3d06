# SPDX-License-Identifier: Apache-2.0
"""A decoder that runs several times."""

import pytest
import torch

from vtg.registry import MODELS
from vtg.utils import ConfigError

INNER = dict(dim=16, num_layers=2, num_heads=2, hidden_dim=16, dropout=0.0)


def looped(kind, loops):
    torch.manual_seed(0)
    inner = dict(type=kind, drop_path=0.0, residual_dropout=0.0, **INNER)
    return MODELS.build(dict(type='LoopedDecoder', dim=16, decoder=inner, loops=loops))


@pytest.mark.parametrize('kind', ['SpanDecoder', 'SlotDecoder'])
def test_every_pass_starts_from_the_contents_of_the_one_before(kind):
    decoder = looped(kind, 3)
    place = torch.rand(2, 4, 2 if kind == 'SpanDecoder' else 16)
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    fixed = (place, torch.randn(2, 5, 16), mask, torch.randn(2, 5, 16))
    content = torch.zeros(2, 4, 16)
    for _ in range(3):
        outputs = decoder.decoder(content, *fixed)
        content = outputs.normed[-1]
    found = decoder(torch.zeros(2, 4, 16), *fixed)
    torch.testing.assert_close(found.normed, outputs.normed)
    if kind == 'SpanDecoder':
        torch.testing.assert_close(found.references[0], place)
        torch.testing.assert_close(found.refined, outputs.refined)


def test_no_pass_is_refused():
    with pytest.raises(ConfigError, match='loops is 0; LoopedDecoder expects a whole number'):
        looped('SpanDecoder', 0)


def test_a_refinement_of_the_head_is_refused():
    inner = dict(type='SpanDecoder', positions=dict(shared_head=True), **INNER)
    with pytest.raises(ConfigError, match='takes its refinement from the head'):
        MODELS.build(dict(type='LoopedDecoder', dim=16, decoder=inner))
