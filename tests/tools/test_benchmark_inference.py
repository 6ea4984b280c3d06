# SPDX-License-Identifier: Apache-2.0
"""The operations and waits of a prediction do not grow; times are nobody's test."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Most operations and most waits; a round of operations per merged moment would be ten times more.
LIMITS = {'sgdetr/custom_long.py': (6000, 50), 'qd_detr/custom.py': (640, 6)}


@pytest.mark.parametrize('config', LIMITS)
def test_counts_of_a_prediction(config, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / 'tools' / 'benchmark'))
    monkeypatch.setattr(sys, 'argv', ['inference.py'])
    import measure
    from inference import build_call

    small = ['model.defaults.dim=32', 'model.defaults.hidden_dim=32']
    call = build_call(ROOT / 'configs' / config, clips=1800, queries=1, words=20, options=small)
    found = measure.counts(call)
    operations, synchronisations = LIMITS[config]
    assert 0 < found['operations'] <= operations
    assert found['synchronisations'] <= synchronisations
