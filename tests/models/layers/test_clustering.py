# SPDX-License-Identifier: Apache-2.0
"""Soft clusters against loops, and the random walk against the whole inverse."""

import math

import pytest
import torch

from vtg.models.layers import SoftClustering, random_walk

DIM, CENTRES = 6, 3
MASK = torch.tensor([[True] * 7, [True] * 4 + [False] * 3])


def unit(x):
    return x / (x.norm(dim=-1, keepdim=True) + 1e-9)


def naive_centres(start, tokens, steps, bandwidth):
    centres = start
    for _ in range(steps):
        shares = []
        for token in tokens:
            gaps = [(unit(centre) - unit(token)).square().sum() for centre in centres]
            shares.append((-torch.stack(gaps) / (2 * bandwidth**2)).softmax(0))
        shares = torch.stack(shares)  # (L, K)
        centres = torch.stack(
            [sum(s * t for s, t in zip(share, tokens)) / (share.sum() + 1e-9) for share in shares.T]
        )
    return centres


@pytest.mark.parametrize('mask_padding', [True, False])
@pytest.mark.parametrize('bandwidth', [0.3, 1.2])
def test_centres_against_loops(mask_padding, bandwidth):
    clusters = SoftClustering(DIM, CENTRES, 3, bandwidth, mask_padding)
    tokens = torch.randn(2, 7, DIM)
    with torch.no_grad():
        found = clusters(tokens, MASK)
        for b, count in enumerate((7, 4)):
            seen = tokens[b, : count if mask_padding else 7]
            expected = naive_centres(clusters.centres, seen, 3, bandwidth)
            assert torch.allclose(found[b], expected, atol=1e-5)


def test_wide_gaussians_make_all_clusters_one():
    """Two groups of tokens: narrow ones find them, the released width finds their mean twice."""
    generator = torch.Generator().manual_seed(0)
    tokens = torch.eye(2, DIM).repeat_interleave(5, dim=0).unsqueeze(0)
    tokens = tokens + 0.1 * torch.randn(tokens.shape, generator=generator)
    mask = torch.ones(1, 10, dtype=torch.bool)
    distance = {}
    for bandwidth in (0.3, 1.2):
        clusters = SoftClustering(DIM, 2, 5, bandwidth)
        with torch.no_grad():
            clusters.centres.copy_(0.5 * torch.eye(2, DIM) + 0.3)
            one, two = clusters(tokens, mask)[0]
        distance[bandwidth] = float((one - two).norm())
    assert distance[0.3] > 1.2 and distance[1.2] < 0.02


@pytest.mark.parametrize('masked', [True, False])
def test_walk_against_the_whole_inverse(masked):
    tokens, centres = torch.randn(2, 7, DIM), torch.randn(2, CENTRES, DIM)
    found = random_walk(tokens, centres, MASK if masked else None, restart=0.4, sharpness=3.0)
    for b, count in enumerate((7, 4)):
        count = count if masked else 7
        words, clips = centres[b].double(), tokens[b, :count].double()
        share = (3 * unit(words) @ unit(clips).T).softmax(dim=0)
        step = share.T @ (share / (share.sum(dim=1, keepdim=True) + 1e-9))
        assert torch.allclose(step.sum(dim=1), torch.ones(count).double(), atol=1e-6)
        inverse = torch.linalg.inv(torch.eye(count) - 0.4**2 * step)
        expected = 0.6 * inverse @ (0.4 * share.T @ words + clips)
        assert torch.allclose(found[b, :count].double(), expected, atol=1e-5)


def test_gradient_reaches_the_first_centres():
    clusters = SoftClustering(DIM, CENTRES)
    clusters(torch.randn(2, 7, DIM), MASK).square().sum().backward()
    assert clusters.centres.grad.norm() > 0 and math.isfinite(clusters.centres.grad.norm())
