# SPDX-License-Identifier: Apache-2.0
"""The operations and waits of a training step do not grow; times are nobody's test."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIMITS = {'qd_detr': 2700, 'flashvtg': 3350, 'cg_detr': 4600, 'sgdetr': 6000}


@pytest.mark.parametrize('system', LIMITS)
def test_counts_of_a_step(system, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / 'tools' / 'benchmark'))
    monkeypatch.setattr(sys, 'argv', ['step.py'])
    import measure
    from step import build_step

    step = build_step(ROOT / 'configs' / system / 'demo.py', batch_size=4, clips=75, words=20)
    step()  # makes the state of the optimizer
    found = measure.counts(step)
    assert 0 < found['operations'] <= LIMITS[system]
    # One of them reads on the host which pairs are of different videos.
    assert found['synchronisations'] <= 4
    with measure.Operations() as operations:
        step()
    assert not operations.names['bernoulli_']  # the costly mask
