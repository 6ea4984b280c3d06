# SPDX-License-Identifier: Apache-2.0
"""QD-DETR gives the stored values through converter and config, without and with audio."""

from pathlib import Path

import numpy as np
import pytest
from reference_values.qd_detr import check

from vtg.engine.config import load_config

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize('name', ['qd_detr', 'qd_detr_audio'])
def test_everything_is_within_the_tolerance(shared, name):
    model = load_config(ROOT / 'configs/qd_detr/qvhl_official.py').model.to_dict()
    rows = {row.name: row for row in check(shared / 'golden', model, name)}
    assert [row for row in rows.values() if row.failed] == []
    assert all(row.note for row in rows.values() if row.skipped)
    for key in np.load(shared / f'golden/{name}.npz').files:
        kinds = ('loss/', 'grad/', 'out/match', 'out/aux', 'out/pred', 'out/saliency')
        if key.startswith(tuple(p + kind for p in ('nopad/', '', 'cleanmask/') for kind in kinds)):
            assert not rows[key].skipped, key
