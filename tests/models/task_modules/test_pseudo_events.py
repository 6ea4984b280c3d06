# SPDX-License-Identifier: Apache-2.0
"""Events that features tell apart, against the similarities of all pairs of clips."""

import itertools

import pytest
import torch

from vtg.models.task_modules import PseudoEvents


def features(*counts):
    """Clips around a few centres, so that there is something to tell apart, and padding."""
    generator = torch.Generator().manual_seed(3)
    mask = torch.arange(max(counts)) < torch.tensor(counts)[:, None]
    centres = torch.randn(len(counts), 1 + max(counts) // 4, 6, generator=generator)
    clips = centres.repeat_interleave(4, dim=1)[:, : max(counts)]
    clips = clips + 0.3 * torch.randn(clips.shape, generator=generator)
    return torch.where(mask.unsqueeze(-1), clips, 0.0), mask


def naive(clips, count, length):
    """Boundaries of one video of ``count`` clips that is looked at up to ``length``."""
    unit = clips / (clips.norm(dim=-1, keepdim=True) + 1e-8)

    def similarity(i, j):
        inside = 0 <= i < count and 0 <= j < count
        return float(unit[i] @ unit[j]) if inside else 0.0

    scores = [
        sum(
            similarity(i - u, i - v) + similarity(i + u, i + v)
            - similarity(i - u, i + v) - similarity(i + u, i - v)
            for u in (1, 2) for v in (1, 2)
        )
        for i in range(length)
    ]  # fmt: skip
    threshold = sum(scores) / length
    ends = [100.0 if i in (0, count - 1) else score for i, score in enumerate(scores)]
    found = [
        i for i, score in enumerate(ends)
        if score >= ends[i - 1] and score >= ends[(i + 1) % length] and score >= threshold
    ]  # fmt: skip
    return scores, found


def listed(spans, real):
    return [row[keep].tolist() for row, keep in zip(spans, real)]


def between(boundaries, count):
    return [((a + b) / 2 / count, (b - a) / count) for a, b in itertools.pairwise(boundaries)]


@pytest.mark.parametrize('mask_padding', [True, False])
def test_events_against_all_pairs(mask_padding):
    clips, mask = features(24, 13, 17, 2, 1)
    events = PseudoEvents(mask_padding=mask_padding)
    scores = events.scores(clips, mask)
    found = listed(*events(clips, mask))
    several = 0
    for b, count in enumerate(mask.sum(dim=1).tolist()):
        expected, boundaries = naive(clips[b], count, count if mask_padding else mask.shape[1])
        assert torch.allclose(scores[b, : len(expected)], torch.tensor(expected), atol=1e-5)
        wanted = between(boundaries, count)
        assert len(found[b]) == len(wanted)
        for ours, theirs in zip(found[b], wanted):
            assert ours == pytest.approx(theirs, abs=1e-6)
        several += len(wanted) > 1
    assert several >= 2 and (found[4] == [] or not mask_padding)


def test_padding_and_neighbours_do_not_count():
    clips, mask = features(24, 13, 17)
    events = PseudoEvents()
    together = listed(*events(clips, mask))
    for b, count in enumerate(mask.sum(dim=1).tolist()):
        assert listed(*events(clips[b : b + 1, :count], mask[b : b + 1, :count]))[0] == together[b]


def test_spurious_event_of_odd_batches():
    clips, mask = features(24, 13, 17)
    plain, found = (
        listed(*PseudoEvents(spurious=spurious)(clips, mask)) for spurious in (False, True)
    )
    assert found[0] == plain[0] and found[2] == plain[2]
    # It is of the last sample, whose last boundary is clip 16, in the unit of sample 1.
    assert found[1][0] == pytest.approx((8 / 13, -16 / 13)) and found[1][1:] == plain[1]
    even = listed(*PseudoEvents(spurious=True)(clips[:2], mask[:2]))
    assert even == plain[:2]
