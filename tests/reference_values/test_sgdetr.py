# SPDX-License-Identifier: Apache-2.0
"""SG-DETR gives the stored values through converter and config."""

import functools
from pathlib import Path

import numpy as np
import pytest
from reference_values.checks import run_check
from reference_values.core import Row

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'


@functools.cache
def compare_once(folder: Path) -> dict[str, Row]:
    return {row.name: row for row in run_check('sgdetr', folder, CONFIGS)}


@pytest.fixture
def rows(shared) -> dict[str, Row]:
    return compare_once(shared / 'golden')


def test_everything_is_within_the_tolerance(rows):
    assert [row for row in rows.values() if row.failed] == []
    reasons = {row.note for row in rows.values() if row.skipped}
    assert '' not in reasons and 'no row is about it' not in reasons


def test_without_padding_nothing_is_left_out(rows, shared):
    stored = np.load(shared / 'golden/sgdetr.npz').files
    kinds = ('loss/', 'grad/', 'out/match/', 'dn/loss/', 'dn/grad/')
    keys = [key for key in stored if key.startswith(tuple(f'nopad/{kind}' for kind in kinds))]
    assert len(keys) > 100
    assert [key for key in keys if key not in rows] == []
    skipped = {rows[key].note.split(';')[0] for key in keys if rows[key].skipped}
    assert skipped <= {'weight 0', 'a value for the log'}
    for kind in ('detr', 'aux', 'comb'):
        name = f'nopad/out/post/qvhighlights/{kind}/0 seconds'
        assert not rows[name].skipped
