# SPDX-License-Identifier: Apache-2.0
"""The command line of tools/pack_features.py."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from vtg.datasets import PackedStore

ROOT = Path(__file__).parents[2]


def _run(*args):
    command = [sys.executable, str(ROOT / 'tools' / 'pack_features.py'), *map(str, args)]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, 'PYTHONPATH': str(ROOT)}
    )


def test_packs_and_reports(tmp_path):
    (tmp_path / 'in').mkdir()
    for i in range(3):
        np.save(tmp_path / 'in' / f'{i}.npy', np.full((2 + i, 4), i, np.float32))
    np.save(tmp_path / 'in' / 'bad.npy', np.full((2, 4), np.nan))

    refused = _run(tmp_path / 'in', tmp_path / 'out')
    assert refused.returncode == 1 and not (tmp_path / 'out').exists()
    assert 'error: 1 of 4 files' in refused.stderr and 'bad.npy' in refused.stderr

    packed = _run(tmp_path / 'in', tmp_path / 'out', '--skip-bad', '--dtype', 'float32')
    assert packed.returncode == 0, packed.stderr
    assert '3 arrays, 9 rows' in packed.stdout and '1 bad files left out' in packed.stdout
    store = PackedStore(str(tmp_path / 'out'), verify=True)
    assert (store.read({'vid': 2}) == 2).all()
