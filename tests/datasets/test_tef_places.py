# SPDX-License-Identifier: Apache-2.0
"""The temporal endpoint feature behind chosen stores."""

import numpy as np


def test_tef_follows_the_named_stores_and_counts_the_common_clips(disk):
    store = dict(type='FolderStore', folder=str(disk.video), dim=6)
    (disk.root / 'audio').mkdir()
    for record in disk.records:
        rows = np.full((record['duration'] // 2 - 1, 3), 2.0, np.float32)
        np.save(disk.root / 'audio' / f'{record["vid"]}.npy', rows)
    audio = dict(type='FolderStore', folder=str(disk.root / 'audio'), dim=3)
    both = disk.build(video=[store, audio], features=dict(tef=(0, 1)))[2]['video']
    once = disk.build(video=[store, audio])[2]['video']
    assert both.shape == (11, 6 + 2 + 3 + 2) and once.shape == (11, 6 + 3 + 2)
    tef = np.stack((np.arange(11) / 11, np.arange(1, 12) / 11), axis=1)
    np.testing.assert_allclose(both[:, 6:8], tef, atol=1e-6)
    np.testing.assert_allclose(both[:, 11:], tef, atol=1e-6)
    np.testing.assert_array_equal(np.delete(both, (6, 7), axis=1), once)
