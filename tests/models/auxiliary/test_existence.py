# SPDX-License-Identifier: Apache-2.0
"""The existence head: what it pools, what its gate does, and that padding never matters."""

import pytest
import torch
import torch.nn.functional as F

from vtg.models.answering import existence_of
from vtg.models.auxiliary import Answerability, ExistenceHead
from vtg.models.extras import QueryStates
from vtg.structures import Answering, FeaturePyramid, MomentList
from vtg.utils import ConfigError

CLIPS, MOMENTS = (6, 4, 5), [[(0, 3)], [], [(1, 2)]]


def state_of(toy):
    """A state with everything that may be pooled; the second query of the first is none."""
    state = toy.state(clips=CLIPS, moments=MOMENTS)
    mask = torch.tensor([[True, False, True], [True] * 3, [False, True, True]])
    coarse = state.video_mask[:, ::2]
    return state.update(
        query_states=QueryStates(torch.randn(3, 3, toy.dim), mask),
        pyramid=FeaturePyramid(
            (state.memory, torch.randn(*coarse.shape, toy.dim)), (state.video_mask, coarse), (1, 2)
        ),
        span_scores=torch.tensor([[0.2, 0.0, 0.9], [0.5, 0.7, 0.1], [0.0, 0.3, 0.4]]),
    )


@pytest.mark.parametrize('source', ['memory', 'queries', 'pyramid'])
def test_what_is_pooled(toy, source):
    for pool in ('max', 'mean'):
        head = ExistenceHead(toy.dim, source, pool)
        state = state_of(toy)
        tokens, mask = head.tokens(state)
        for index, found in enumerate(head.pooled(state)):
            real = tokens[index][mask[index]]
            expected = real.amax(0) if pool == 'max' else real.mean(0)
            torch.testing.assert_close(found, expected)
    with pytest.raises(ConfigError, match='source'):
        ExistenceHead(toy.dim, 'clips')


def test_the_loss_is_the_mean_over_all_queries(toy):
    head = ExistenceHead(toy.dim, weight=2.0)
    state = state_of(toy)
    wanted = torch.tensor([1.0, 0.0, 1.0])
    expected = F.binary_cross_entropy(head.existence(state).sigmoid(), wanted)
    torch.testing.assert_close(head.loss(state)['loss_existence'], 2 * expected)


def test_gates(toy):
    order = torch.tensor([[2, 0, 1], [1, 0, 2], [2, 1, 0]])
    head = ExistenceHead(toy.dim, 'queries', threshold=0.5)
    state = state_of(toy)
    spans = torch.arange(18.0).view(3, 3, 2)  # of the queries in their order
    ranked = MomentList(
        spans.gather(1, order.unsqueeze(-1).expand(-1, -1, 2)),
        state.span_scores.gather(1, order),
        torch.tensor([[True, True, False], [True] * 3, [True, True, False]]),
    )
    probability = head.existence(state).sigmoid()
    head.threshold = probability.median().item()
    low = probability < head.threshold
    assert low.sum() == 1

    def behind(gate):
        head.gate = gate
        return head.revise(state, {'detr': ranked})['detr']

    assert behind(None) is ranked
    soft = behind('soft')
    factor = torch.where(low, probability, 1.0).unsqueeze(-1)
    torch.testing.assert_close(soft.scores, ranked.scores * factor)
    assert torch.equal(soft.spans, ranked.spans)
    empty = behind('empty')
    assert torch.equal(empty.mask, ranked.mask & ~low.unsqueeze(-1))
    zero = behind('zero')
    assert torch.equal(zero.scores, ranked.scores * ~low.unsqueeze(-1))
    assert torch.equal(zero.spans[low], spans[low])  # equal scores keep the order of the queries
    assert torch.equal(zero.spans[~low], ranked.spans[~low])


def test_who_gives_the_probability(toy):
    heads = ExistenceHead(toy.dim), Answerability(toy.dim)
    state = state_of(toy)
    both = (heads[0].existence(state) + heads[1].logits(state)) / 2
    moments = MomentList(
        torch.zeros(3, 2, 2), torch.tensor([[0.1, 0.9], [0.3, 0.2], [0.0, 0.0]]),
        torch.tensor([[True, False], [True, True], [False, False]]),
    )  # fmt: skip
    chosen = Answering(0.4, slope=2.0, intercept=-1.0)
    torch.testing.assert_close(existence_of(heads, state, moments, chosen), both.sigmoid())
    found = existence_of((), state, moments, chosen)
    best = torch.tensor([2 * 0.1 - 1, 2 * 0.3 - 1]).sigmoid()
    torch.testing.assert_close(found, torch.cat((best, torch.zeros(1))))  # none is no moment
    for answering in (None, Answering(0.4)):
        assert existence_of((), state, moments, answering) is None
