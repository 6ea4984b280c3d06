# SPDX-License-Identifier: Apache-2.0
"""Coding of spans relative to anchors."""

import numpy as np
import torch

from vtg.models.task_modules import AnchorDeltaCoder, AnchorGenerator1D


def test_targets_of_the_official_model(shared) -> None:
    golden = np.load(shared / 'golden/sgdetr.npz')
    anchors = torch.cat(AnchorGenerator1D()([40, 20, 10, 5], dtype=torch.float64))
    for prefix in ('', 'nopad/'):
        positive = torch.from_numpy(golden[f'{prefix}out/atss/labels']) > 0
        gts = torch.from_numpy(golden[f'{prefix}out/atss/matched_gt']).double()
        deltas = torch.from_numpy(golden[f'{prefix}out/atss/reg_targets']).double()
        spans = AnchorDeltaCoder().decode(anchors, deltas)
        assert torch.allclose(spans[positive], gts[positive], rtol=1e-12)


def test_decoding_of_the_official_model(shared) -> None:
    golden = np.load(shared / 'golden/sgdetr.npz')
    deltas = torch.from_numpy(golden['atss_long/in/reg'])
    for dtype in (torch.float32, torch.float64):
        anchors = torch.cat(AnchorGenerator1D()([152, 76, 38, 19], dtype=dtype))
        spans = AnchorDeltaCoder().decode(anchors, deltas.to(dtype)).numpy()
        assert np.allclose(spans, golden['atss_long/out/decoded'], rtol=2e-6, atol=2e-5)


def test_generic_coder(shared) -> None:
    golden = np.load(shared / 'golden/sgdetr_parts.npz')
    limit = 4.135166556742356
    coder = AnchorDeltaCoder(factors=(10, 5), width_offset=0, max_log=limit, min_log=-limit)
    anchors = torch.from_numpy(golden['in/delta/anchors'])
    deltas = torch.from_numpy(golden['in/delta/deltas'])
    assert np.allclose(coder.decode(anchors, deltas), golden['out/delta/spans'], rtol=1e-6)


def test_negative_length_and_clamps_by_hand() -> None:
    coder = AnchorDeltaCoder()
    anchor = torch.tensor([-7.0, 8.0])  # centre 0.5, coded width 16
    deltas = torch.tensor([[0.0, -1000.0], [10.0, 1000.0]])
    spans = coder.decode(anchor, deltas)
    assert torch.allclose(spans[0], torch.tensor([1.0, 0.0]))  # one clip short of zero
    assert torch.allclose(spans[1], torch.tensor([16.5 - 499.5, 16.5 + 499.5]))
    clamped = coder.decode(anchor, deltas, clamp_length=True)
    assert torch.equal(clamped[0], torch.tensor([0.5, 0.5])) and torch.equal(clamped[1], spans[1])
