# SPDX-License-Identifier: Apache-2.0
"""A decoder that moves a point and two boundaries."""

import pytest
import torch

from vtg.models.extras import BoundaryFeatures
from vtg.models.heads.query import DualPathDecoder
from vtg.models.layers import LoopedDecoder
from vtg.registry import MODELS
from vtg.utils import ConfigError

SMALL = dict(num_heads=2, hidden_dim=16, dropout=0.0, residual_dropout=0.0)


def run(decoder, state, content, reference):
    return decoder(content, reference, state.memory, state.video_mask, state.video_pos, state=state)


@pytest.fixture
def given(toy):
    torch.manual_seed(0)
    state, shape = toy.state(), (3, 12, toy.dim)
    features = BoundaryFeatures(torch.rand(shape), torch.rand(shape))
    decoder = DualPathDecoder(toy.dim, num_layers=3, **SMALL)
    point = torch.rand(3, 4, 1) * 0.4 + 0.3
    reference = torch.cat((point, torch.rand(3, 4, 2) * 0.3), dim=-1)
    state = state.update(boundary_features=features)
    return decoder, state, torch.randn(3, 4, 3 * toy.dim), reference


def test_untrained_layers_keep_the_reference(given):
    decoder, state, content, reference = given
    outputs = run(decoder, state, content, reference)
    assert outputs.refined.shape == (3, 3, 4, 3) and outputs.normed.shape == (3, 3, 4, 16)
    torch.testing.assert_close(
        outputs.refined, reference.expand(3, -1, -1, -1), rtol=1e-4, atol=1e-5
    )


def test_the_point_and_the_boundaries_have_paths_of_their_own(given):
    decoder, state, content, reference = given
    for parameter in decoder.refine.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    outputs = run(decoder, state, content, reference)
    left = state.extras[BoundaryFeatures].left
    changed = BoundaryFeatures(left + 1, state.extras[BoundaryFeatures].right)
    other = run(decoder, state.update(boundary_features=changed), content, reference)
    same = (outputs.refined[0] - other.refined[0]).abs().amax(dim=(0, 1)) < 1e-6
    # In the first layer a change at the starts moves the starts alone.
    assert same.tolist() == [True, False, True]
    outputs.refined[-1, ..., 0].sum().backward()
    assert decoder.refine[2][0][0].weight.grad.abs().max() > 0
    # Later layers start from a constant, and boundaries do not move the point of their layer.
    for other in (decoder.refine[1][0], decoder.refine[2][1]):
        assert other[0].weight.grad is None or not other[0].weight.grad.any()


def test_padding_reaches_no_query(given):
    decoder, state, content, reference = given
    for parameter in decoder.refine.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    together = run(decoder, state, content, reference)
    features = state.extras[BoundaryFeatures]
    for b, count in enumerate(state.video_mask.sum(dim=1).tolist()):
        row = slice(b, b + 1)
        alone = state.update(
            memory=state.memory[row, :count],
            video_mask=state.video_mask[row, :count],
            video_pos=state.video_pos[row, :count],
            boundary_features=BoundaryFeatures(
                features.left[row, :count], features.right[row, :count]
            ),
        )
        found = run(decoder, alone, content[row], reference[row])
        torch.testing.assert_close(found.refined, together.refined[:, row], rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(found.normed, together.normed[:, row], rtol=1e-4, atol=1e-5)


def test_it_is_not_looped(toy):
    inner = dict(type='DualPathDecoder', dim=toy.dim, **SMALL)
    with pytest.raises(ConfigError, match='have 3 contents'):
        LoopedDecoder(toy.dim, inner)


def test_the_head_brings_other_contents_to_its_width(toy):
    queries = dict(type='LearnedQueries', dim=toy.dim, reference_dim=3, content_std=0.1)
    head = MODELS.build(
        dict(
            type='QueryHead', dim=toy.dim, queries=queries, quality=False,
            decoder=dict(type='DualPathDecoder', dim=toy.dim, **SMALL),
            matcher=dict(type='HungarianMatcher', costs=dict(span=dict(type='L1SpanCost'))),
            losses=dict(quality=dict(type='BestOverlapLoss')),
        )
    )  # fmt: skip
    assert head.content_proj.out_features == 3 * toy.dim and head.span_head is None
    assert 'boundary_features' in head.requires
