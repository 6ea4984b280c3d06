# SPDX-License-Identifier: Apache-2.0
"""Videos, clips and sentences that must find each other."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from vtg.models.auxiliary import VideoSentenceContrast
from vtg.models.auxiliary.video_sentence import truncated_clips
from vtg.models.extras import Context, QuerySentence
from vtg.structures import Progress


def make(toy, shaken, **options):
    return shaken(VideoSentenceContrast(toy.dim, hidden_dim=8, **options), 0.3)


def state_of(toy, **kwargs):
    state = toy.state(**kwargs)
    size = len(state.duration)
    return state.update(
        context=Context(torch.randn(size, toy.dim)),
        query_sentence=QuerySentence(torch.randn(size, toy.dim)),
    )


def clips_of_first(state, b):
    """First clip and end of the first moment, which toy batches put on whole clips."""
    centre, width = state.targets.spans[b, 0].double()
    count = int(state.video_mask[b].sum())
    return round(float((centre - width / 2) * count)), round(float((centre + width / 2) * count))


@pytest.mark.parametrize('average_over', ['valid', 'padded'])
@pytest.mark.parametrize('moment', ['every', 'truncated_first'])
def test_terms_against_loops(toy, shaken, average_over, moment):
    branch = make(toy, shaken, average_over=average_over, moment=moment, weight=2.0)
    state = state_of(toy)
    # Ends a little inside of their clips, so that nothing hangs on the last digit.
    spans = state.targets.spans * torch.tensor([1.0, 1.02])
    state = state.update(targets=replace(state.targets, spans=spans))
    with torch.no_grad():
        found = branch.loss(state)
        video = F.normalize(branch.video_head(state.extras[Context].token), dim=-1)
        sentence = F.normalize(branch.text_head(state.extras[QuerySentence].vector), dim=-1)
        cosine = video @ sentence.T
        both = (
            sum(cosine[b].log_softmax(0)[b] + cosine[:, b].log_softmax(0)[b] for b in range(3)) / 6
        )
        total, count = 0.0, 0
        for b in range(3):
            real = int(state.video_mask[b].sum())
            seen = real if average_over == 'valid' else state.video_mask.shape[1]
            clips = F.normalize(branch.video_head(state.fused[b, :seen]), dim=-1)
            share = (clips @ sentence[b]).log_softmax(0)
            if moment == 'every':
                wanted = state.targets.relevant[b].nonzero().flatten().tolist()
            else:
                first, end = truncated_clips(spans[b, 0], torch.tensor(real)).int().tolist()
                wanted = range(first, min(end, real))
                assert (first, end) == clips_of_first(state, b) or first == 0
            total += sum(share[i] for i in wanted)
            count += seen
    assert found['loss_video_sentence'].item() == pytest.approx(-float(both), rel=1e-5)
    assert found['loss_clip_sentence'].item() == pytest.approx(-float(total / count), rel=1e-5)


def test_a_rounding_error_loses_a_clip():
    """Of all moments on whole clips of a video of 75, many an end is cut to the clip before."""
    pairs = torch.tensor([(a, b) for a in range(75) for b in range(a + 1, 76)])
    ends = pairs.float() / 75
    spans = torch.stack(((ends[:, 0] + ends[:, 1]) / 2, ends[:, 1] - ends[:, 0]), dim=-1)
    found = truncated_clips(spans, torch.full((len(spans),), 75)).long()
    assert ((found == pairs) | (found == pairs - 1)).all()
    assert 0.05 < (found != pairs).any(dim=1).float().mean() < 0.6


def test_no_moment_is_no_clip_to_find(toy, shaken):
    state = state_of(toy, moments=[[], [], []])
    for moment in ('every', 'truncated_first'):
        losses = make(toy, shaken, moment=moment).loss(state)
        assert losses['loss_clip_sentence'] == 0


def test_partner_is_the_least_alike_of_another_source(toy, shaken):
    state = state_of(toy, clips=(12, 7, 9, 5), words=(5, 1, 4, 3), sources=(0, 1, 0, 2))
    branch = make(toy, shaken, choose_from=10)
    assert branch.choosing(Progress(10, 20)) and not branch.choosing(Progress(9, 20))
    with torch.no_grad():
        scores = branch.partner_scores(state)
        chosen = branch.partners(state).tolist()
        video = F.normalize(branch.video_head(state.extras[Context].token), dim=-1)
        sentence = F.normalize(branch.text_head(state.extras[QuerySentence].vector), dim=-1)
        for b, own in enumerate((0, 1, 0, 2)):
            count = int(state.video_mask[b].sum())
            clips = F.normalize(branch.video_head(state.fused[b, :count]), dim=-1)
            whole = (sentence @ video[b]).softmax(0)
            parts = torch.stack([(clips @ s).mean() for s in sentence]).softmax(0)
            assert torch.allclose(scores[b], (whole + parts) / 2, atol=1e-6)
            others = [j for j, source in enumerate((0, 1, 0, 2)) if source != own]
            assert chosen[b] == min(others, key=lambda j: float(scores[b, j]))
        branch.exclude_source = False
        assert branch.partners(state).tolist() == scores.argmin(dim=1).tolist()


def test_padding_does_not_count(toy, shaken):
    branch = make(toy, shaken)

    def run(state):
        return {name: (value, None) for name, value in branch.loss(state).items()}

    state = state_of(toy)
    with torch.no_grad():
        plain, noisy = run(state), run(toy.scrambled(state))
    for name, (value, _) in plain.items():
        assert torch.allclose(noisy[name][0], value, atol=1e-6)
