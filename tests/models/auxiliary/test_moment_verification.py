# SPDX-License-Identifier: Apache-2.0
"""The second look at predicted moments, against loops."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from vtg.models.auxiliary import MomentVerification
from vtg.structures import MomentList

CLIPS = (12, 7, 9)
# Start and end as a fraction of the video, and the clips that are touched in videos of those sizes.
SPANS = [(0.0, 0.5), (0.26, 0.27), (0.3, 1.0), (1.0, 1.0)]
TOUCHED = {
    12: [(0, 6), (3, 4), (3, 12), (11, 12)],
    7: [(0, 4), (1, 2), (2, 7), (6, 7)],
    9: [(0, 5), (2, 3), (2, 9), (8, 9)],
}


@pytest.fixture
def module(toy, shaken):
    built = shaken(MomentVerification(toy.dim, hidden_dim=8, num_candidates=3, weight=0.7))
    return built.eval()


def predicted(state, spans, scores):
    spans = torch.as_tensor(spans)
    centre_width = torch.stack((spans.mean(-1), spans[..., 1] - spans[..., 0]), dim=-1)
    return state.update(spans=centre_width, span_scores=torch.as_tensor(scores))


def by_hand(module, state, row, start, stop):
    clips = state.memory[row : row + 1, start:stop]
    return module.score.classifier(module.score.rnn(clips)[1][-1]).item()


def test_a_moment_is_read_from_the_clips_that_it_touches(toy, module):
    state = toy.state()
    found = module.verify(state, torch.tensor([SPANS] * 3))
    for row, clips in enumerate(CLIPS):
        expected = [by_hand(module, state, row, *touched) for touched in TOUCHED[clips]]
        torch.testing.assert_close(found[row], torch.tensor(expected))


def test_the_best_candidates_learn_whether_they_overlap(toy, module):
    spans = torch.tensor([SPANS] * 3)
    scores = torch.tensor([[0.9, 0.1, 0.8, 0.2], [0.5, 0.0, 0.0, 0.0], [0.1, 0.2, 0.3, 0.4]])
    state = predicted(toy.state(), spans, scores)
    logits, terms = module.verify(state, spans), []
    moments = state.targets.spans
    for row in range(3):
        for index in scores[row].argsort(descending=True)[:3]:
            if scores[row, index] == 0:
                continue
            true = 0.0
            for (centre, width), real in zip(moments[row], state.targets.span_mask[row]):
                low, high = centre - width / 2, centre + width / 2
                a, b = spans[row, index]
                both = max(min(b, high) - max(a, low), 0)
                true = max(true, float(real and both / ((b - a) + width - both) >= 0.5))
            terms.append(F.softplus(-logits[row, index] if true else logits[row, index]))
    loss = module.loss(state)['loss_verification']
    assert len(terms) == 7
    assert loss.item() == pytest.approx(0.7 * torch.stack(terms).mean().item(), rel=1e-4)


def test_padding_reaches_neither_loss_nor_score(toy, module):
    scores = torch.rand(3, 4)
    state = predicted(toy.state(), [SPANS] * 3, scores)
    other = toy.scrambled(state)
    loss = module.loss(state)['loss_verification']
    torch.testing.assert_close(module.loss(other)['loss_verification'], loss)
    spans = torch.tensor([SPANS] * 3)
    torch.testing.assert_close(module.verify(other, spans), module.verify(state, spans))
    cut = replace(state, memory=state.memory[1:2, :7], video_mask=state.video_mask[1:2, :7])
    torch.testing.assert_close(module.verify(cut, spans[1:2]), module.verify(state, spans)[1:2])


def test_scores_are_multiplied_and_sorted_again(toy, module):
    state = toy.state()
    spans = torch.tensor([SPANS] * 3)
    scores, mask = torch.rand(3, 4), torch.ones(3, 4, dtype=torch.bool)
    mask[1, 2:] = False
    seconds = spans * state.duration[:, None, None]
    found = module.revise(state, {'some': MomentList(seconds, scores, mask)})['some']
    product = scores * module.verify(state, spans).sigmoid()
    for row, count in enumerate((4, 2, 4)):
        order = product[row, :count].argsort(descending=True)
        torch.testing.assert_close(found.scores[row, :count], product[row, order])
        torch.testing.assert_close(found.spans[row, :count], seconds[row, order])
        assert found.mask[row].sum() == count
