# SPDX-License-Identifier: Apache-2.0
"""The recurrent summary of the best moment."""

import pytest
import torch

from vtg.models.layers import MomentSummary
from vtg.utils import ConfigError

# Start and end of the best moment in clips, per sample, and what Python takes for it.
MOMENTS = [(2.5, 6.2), (-1.4, 3.0), (-2.3, 8.9), (3.0, 9.5)]
CLIPS = (12, 7, 9, 5)


def predicted(state):
    clips = state.video_mask.sum(1)
    ends = torch.tensor(MOMENTS) / clips[:, None]
    best = torch.stack((ends.mean(1), ends[:, 1] - ends[:, 0]), dim=-1)
    spans = torch.stack((torch.full_like(best, 0.3), best), dim=1)
    return spans, torch.tensor([[0.2, 0.9]]).expand(len(clips), -1)


def state_of(toy):
    return toy.state(clips=CLIPS, words=(3, 3, 3, 3))


@pytest.mark.parametrize('rule', ['wrap', 'clamp'])
def test_rows_follow_the_slice(toy, rule):
    state = state_of(toy)
    summary = MomentSummary(toy.dim, negative_start=rule)
    rows, count = summary.rows(state.video, state.video_mask, *predicted(state))
    assert count.tolist() == list(CLIPS)
    for b, (start, end) in enumerate(MOMENTS):
        clips = state.video[b][state.video_mask[b]]
        first = int(torch.tensor(start).floor())
        if rule == 'clamp':
            first = max(first, 0)
        taken = clips[first : int(end) + 1]
        expected = torch.zeros_like(rows[b])
        expected[: len(taken)] = taken
        assert torch.equal(rows[b], expected)


def test_gru_reads_as_many_rows_as_the_video_has(toy, shaken):
    state, summary = state_of(toy), shaken(MomentSummary(toy.dim))
    arguments = (state.video, state.video_mask, *predicted(state))
    with torch.no_grad():
        rows, _ = summary.rows(*arguments)
        gain = summary(*arguments)
        for b, length in enumerate(CLIPS):
            _, last = summary.gru(rows[b : b + 1, :length])
            assert torch.allclose(gain[b], state.video[b] @ last[0, 0], atol=1e-4)


def test_padding_does_not_matter_unless_told(toy, shaken):
    state, summary = state_of(toy), shaken(MomentSummary(toy.dim))
    spans, scores = predicted(state)
    state = state.update(spans=spans, span_scores=scores)

    def run(s):
        return {'gain': (summary(s.video, s.video_mask, s.spans, s.span_scores), s.video_mask)}

    toy.assert_padding_free(run, state)
    summary.length = 'padded'
    with pytest.raises(AssertionError):
        toy.assert_padding_free(run, state)


def test_nothing_flows_back_to_the_moment(toy, without_gradient):
    state, summary = state_of(toy), MomentSummary(toy.dim)
    spans, scores = (x.clone().requires_grad_() for x in predicted(state))
    summary(state.video, state.video_mask, spans, scores).sum().backward()
    assert spans.grad is None and scores.grad is None
    assert without_gradient(summary) == []


def test_unknown_options(toy):
    with pytest.raises(ConfigError, match='negative_start must be wrap or clamp'):
        MomentSummary(toy.dim, negative_start='drop')
    with pytest.raises(ConfigError, match='length must be own or padded'):
        MomentSummary(toy.dim, length='all')
