# SPDX-License-Identifier: Apache-2.0
"""The command line of tools/pack_features.py."""

import numpy as np

from vtg.datasets import PackedStore


def test_packs_and_reports(run_tool, tmp_path):
    (tmp_path / 'in').mkdir()
    for i in range(3):
        np.save(tmp_path / 'in' / f'{i}.npy', np.full((2 + i, 4), i, np.float32))
    np.save(tmp_path / 'in' / 'bad.npy', np.full((2, 4), np.nan))

    refused = run_tool('pack_features.py', tmp_path / 'in', tmp_path / 'out')
    assert refused.status == 1 and not (tmp_path / 'out').exists()
    assert 'error: 1 of 4 files' in refused.errors and 'bad.npy' in refused.errors

    packed = run_tool(
        'pack_features.py', tmp_path / 'in', tmp_path / 'out', '--skip-bad', '--dtype', 'float32'
    )
    assert packed.status == 0, packed.errors
    assert '3 arrays, 9 rows' in packed.output and '1 bad files left out' in packed.output
    store = PackedStore(str(tmp_path / 'out'), verify=True)
    assert (store.read({'vid': 2}) == 2).all()
