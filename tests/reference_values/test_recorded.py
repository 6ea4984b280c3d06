# SPDX-License-Identifier: Apache-2.0
"""Every system gives what it gave when its small set was recorded."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from reference_values.checks import find_sets, run_check
from reference_values.recorded import PREFIX, drawn, record
from systems import SYSTEMS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / 'tests' / 'data' / 'reference_values'


def test_every_system_is_recorded_in_few_bytes():
    assert find_sets(FOLDER) == [f'{PREFIX}{system}' for system in SYSTEMS]
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) <= 2 * 2**20


@pytest.mark.parametrize('system', SYSTEMS)
def test_nothing_has_changed(system):
    rows = list(run_check(f'{PREFIX}{system}', FOLDER, ROOT / 'configs'))
    assert [row for row in rows if row.failed] == []
    assert not any(row.skipped for row in rows)
    names = {row.name for row in rows}
    assert {'plain/out/saliency', 'plain/loss/total', 'some/loss/total', 'none/loss/total'} <= names
    values = np.load(FOLDER / f'{PREFIX}{system}.npz')
    assert all(np.isfinite(values[name]).all() for name in values.files)


def test_a_changed_value_and_an_unknown_one_are_noticed(tmp_path):
    for file in FOLDER.glob(f'{PREFIX}univtg.*'):
        shutil.copy(file, tmp_path)
    path = tmp_path / f'{PREFIX}univtg.npz'
    values = dict(np.load(path))
    values['plain/loss/total'] = values['plain/loss/total'] * np.float32(1.001)
    values['plain/loss/other'] = values.pop('plain/loss/loss_span')
    np.savez(path, **values)
    rows = run_check(f'{PREFIX}univtg', tmp_path, ROOT / 'configs')
    failed = {row.name: row.note for row in rows if row.failed}
    expected = {'plain/loss/loss_span', 'plain/loss/other', 'plain/loss/total'}
    assert set(failed) == expected
    assert failed['plain/loss/loss_span'] == 'only now'


def test_recording_again_gives_the_same(tmp_path):
    record('moment_detr', tmp_path)
    ours = np.load(tmp_path / f'{PREFIX}moment_detr.npz')
    stored = np.load(FOLDER / f'{PREFIX}moment_detr.npz')
    assert ours.files == stored.files
    for name in stored.files:
        assert np.allclose(ours[name], stored[name], rtol=1e-3, atol=1e-4), name


def test_weights_and_inputs_do_not_depend_on_versions():
    assert drawn('x', (3,)).tolist() == pytest.approx([-2.313544, 0.795485, -0.310628], abs=1e-5)
