# SPDX-License-Identifier: Apache-2.0
"""Sinusoidal codes."""

import math

import pytest
import torch

from vtg.models.layers import sine_clip_positions, sine_span_embedding


def code(angle, dim, temperature=10000.0):
    """Channel k has the wavelength of pair k // 2: sine if k is even, else cosine."""
    values = []
    for k in range(dim):
        phase = angle / temperature ** (2 * (k // 2) / dim)
        values.append(math.sin(phase) if k % 2 == 0 else math.cos(phase))
    return values


@pytest.mark.parametrize('temperature', [10000.0, 20.0])
def test_clips_against_loops(temperature):
    lengths, dim = [5, 3, 1], 6
    mask = torch.arange(5)[None] < torch.tensor(lengths)[:, None]
    out = sine_clip_positions(mask, dim, temperature)
    assert out.shape == (3, 5, dim)
    for b, length in enumerate(lengths):
        for i in range(length):
            expected = code(2 * math.pi * (i + 1) / (length + 1e-6), dim, temperature)
            assert out[b, i].tolist() == pytest.approx(expected, abs=1e-5)


def test_clip_positions_do_not_depend_on_padding():
    short = torch.ones(1, 4, dtype=torch.bool)
    padded = torch.nn.functional.pad(short, (0, 3))
    assert torch.equal(sine_clip_positions(short, 8)[0], sine_clip_positions(padded, 8)[0, :4])


def test_spans_against_loops():
    spans = torch.rand(2, 3, 2)
    out = sine_span_embedding(spans, 12)
    assert out.shape == (2, 3, 12)
    for b in range(2):
        for q in range(3):
            centre, width = spans[b, q].tolist()
            expected = code(2 * math.pi * centre, 6) + code(2 * math.pi * width, 6)
            assert out[b, q].tolist() == pytest.approx(expected, abs=1e-5)


def test_span_code_carries_gradient():
    spans = torch.rand(3, 2, requires_grad=True)
    sine_span_embedding(spans, 8).sum().backward()
    assert (spans.grad != 0).all()
