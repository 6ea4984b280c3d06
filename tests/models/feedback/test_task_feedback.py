# SPDX-License-Identifier: Apache-2.0
"""Feedback between the tasks and its schedule."""

import numpy as np
import pytest
import torch

from vtg.models.feedback import (
    HighlightGuidedFeedback,
    MomentGuidedFeedback,
    ScheduledFeedback,
    highlight_mask,
    moment_coverage,
    moment_gain,
)
from vtg.structures import Progress
from vtg.utils import ConfigError


def gain_by_loops(spans, clips):
    """One sample: bins of half a clip, both ends included."""
    bins = np.zeros(2 * clips)
    for centre, width in spans:
        ends = [int(np.clip((centre + sign * width / 2) * 2 * clips, 0, 2 * clips - 1))
                for sign in (-1, 1)]  # fmt: skip
        bins[ends[0] : ends[1] + 1] += 1
    count = bins.reshape(clips, 2).mean(axis=1)
    return count / np.linalg.norm(count)


def test_moment_gain_against_loops():
    torch.manual_seed(3)
    spans, clips = torch.rand(4, 6, 2), torch.tensor([12, 1, 7, 12])
    gain = moment_gain(spans, clips, 12)
    for row, own, length in zip(gain, spans, clips.tolist()):
        assert np.allclose(row[:length], gain_by_loops(own.numpy(), length), atol=1e-6)
        assert not row[length:].any() and row.norm().item() == pytest.approx(1)


def test_moment_gain_of_known_moments():
    # [0.25, 0.5] of 8 clips of two bins: bins 4 to 8 inclusive, so half of the fifth clip.
    gain = moment_gain(torch.tensor([[[0.375, 0.25]]]), torch.tensor([8]), 8)
    expected = torch.tensor([0, 0, 1, 1, 0.5, 0, 0, 0])
    assert torch.allclose(gain[0], expected / 1.5)
    coverage = moment_coverage(torch.tensor([[[0.375, 0.25]] * 3]), torch.tensor([8]), 8)
    assert torch.equal(coverage[0], 3 * expected)
    # Outside of the video it is the last bin.
    gain = moment_gain(torch.tensor([[[1.5, 0.2]]]), torch.tensor([4]), 6)
    assert gain[0].tolist() == [0, 0, 0, 1, 0, 0]


def test_highlight_mask():
    saliency = torch.tensor([[1.0, 2.0, 3.0, 100.0], [5.0, 5.0, 5.0, 5.0]])
    mask = torch.tensor([[True, True, True, False], [True] * 4])
    assert highlight_mask(saliency, mask).tolist() == [[0, 0, 1, 0], [0, 0, 0, 0]]
    assert highlight_mask(saliency, mask | True).tolist()[0] == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ('start', 'stop', 'on'),
    [
        (0.5, 1.0, (101, 200)),
        (0.5, 0.75, (101, 150)),
        (0.75, 1.0, (151, 200)),
        (0.0, 1.0, (1, 200)),
    ],
)
def test_schedule(start, stop, on):
    feedback = ScheduledFeedback(start, stop)
    active = [e + 1 for e in range(200) if feedback.active(Progress(e, 200))]
    assert (active[0], active[-1], len(active)) == (*on, on[1] - on[0] + 1)
    # Weights that know no epoch are in the last phase.
    assert feedback.active(Progress()) == (stop == 1.0)


def test_schedule_must_be_shares_of_training():
    with pytest.raises(ConfigError, match=r'0 <= start < stop <= 1, got 0\.5 and 0\.5'):
        MomentGuidedFeedback(start=0.5, stop=0.5)


def with_spans(toy):
    state = toy.state()
    scores = torch.rand(3, 5) + 0.1
    return state.update(spans=torch.rand(3, 5, 2), span_scores=scores, progress=Progress(9, 10))


def test_padded_cells_of_dense_heads_do_not_count(toy):
    state, feedback = with_spans(toy), MomentGuidedFeedback()
    padded = state.span_scores.masked_fill(torch.tensor([False, True, False, False, True]), 0)
    some = [0, 2, 3]
    fewer = state.update(spans=state.spans[:, some], span_scores=state.span_scores[:, some])
    gains = [
        feedback(s)['clip_gain'].gain for s in (state.update(span_scores=padded), fewer, state)
    ]
    assert torch.equal(gains[0], gains[1]) and not torch.equal(gains[0], gains[2])


@pytest.mark.parametrize('target', ['clip_gain', 'saliency_memory'])
def test_moment_guided(toy, target):
    feedback, state = MomentGuidedFeedback(target=target), with_spans(toy)
    spans = state.spans.clone().requires_grad_()
    out = feedback(state.update(spans=spans))
    assert set(out) == set(feedback.provides) == {target}
    gain = moment_gain(state.spans, torch.tensor([12, 7, 9]), 12)
    if target == 'clip_gain':
        assert torch.equal(out[target].gain, gain) and not out[target].gain.requires_grad
    else:
        assert torch.allclose(out[target], state.memory * (1 + gain[..., None]))
    assert feedback(state.update(progress=Progress(0, 10))) == {}
    toy.assert_padding_free(
        lambda s: {
            target: (getattr(feedback(s)[target], 'gain', feedback(s)[target]), s.video_mask)
        },
        state,
    )


def test_moment_guided_on_the_padded_length(toy):
    state = with_spans(toy)
    out = MomentGuidedFeedback(length='padded')(state)['clip_gain'].gain
    assert torch.equal(out, moment_gain(state.spans, torch.tensor([12, 12, 12]), 12))


def test_highlight_guided_at_the_decoder(toy):
    feedback = HighlightGuidedFeedback(target='decoder_input')
    state = toy.state().update(progress=Progress(9, 10))
    out = feedback(state)
    factor = 1 + highlight_mask(state.saliency, state.video_mask)[..., None]
    assert torch.equal(out['moment_memory'], state.memory * factor)
    toy.assert_padding_free(
        lambda s: {'stream': (feedback(s)['moment_memory'], s.video_mask)}, state
    )
    assert feedback(state.update(progress=Progress(4, 10))) == {}


@pytest.mark.parametrize('mean_over', ['valid', 'padded'])
def test_highlight_guided_runs_the_trunk_again(toy, mean_over):
    feedback = HighlightGuidedFeedback(stages=('fusion', 'neck'), mean_over=mean_over)
    state = toy.state(targets=False).update(progress=Progress(9, 10))
    state = state.update(saliency_memory=torch.zeros_like(state.memory))
    seen = []

    def run(changed, stages):
        assert stages == ('fusion', 'neck')
        assert changed.saliency_memory is None and changed.moment_memory is None
        seen.append(changed.video)
        return changed.update(memory=3 * changed.video, pyramid=None)

    out = feedback(state.update(runner=run))
    mask = state.video_mask if mean_over == 'valid' else state.video_mask | True
    expected = state.video * (1 + highlight_mask(state.saliency, mask)[..., None])
    assert torch.equal(seen[0], expected)
    assert set(out) == {'moment_memory'} and torch.equal(out['moment_memory'], 3 * expected)


def test_mistakes_are_named():
    with pytest.raises(ConfigError, match="target must be clip_gain or saliency_memory, not 'x'"):
        MomentGuidedFeedback(target='x')
    with pytest.raises(ConfigError, match="mean_over must be valid or padded, not 'all'"):
        HighlightGuidedFeedback(mean_over='all')
