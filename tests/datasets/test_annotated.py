# SPDX-License-Identifier: Apache-2.0
"""Datasets that mend what they read."""

import numpy as np
import pytest

from vtg.datasets import CustomDataset, collate
from vtg.utils import DataError, write_jsonl


def damage(disk):
    """One record of every kind; the third is the first with its id, as in Charades-RF."""
    first, second, third = disk.records
    first |= {'relevant_windows': [[2, 20.4]], 'query': ' A  dog'}
    second |= {
        'relevant_windows': [[5, 5]],
        'relevant_clip_ids': [2],
        'saliency_scores': [[1, 1, 1]],
    }
    third |= {'relevant_windows': [[24, 30]], 'qid': 7}


def test_a_dataset_repairs_and_renumbers(disk, caplog):
    damage(disk)
    with pytest.raises(DataError, match=r'line 1: window \[2, 20.4\] lies outside'):
        disk.build()
    with pytest.raises(DataError, match='line 3: the qid 7 is already used in line 1'):
        disk.build(windows='repair', test_mode=True)
    tested = disk.build(windows='repair', qid='renumber', test_mode=True)
    records = [tested.get_data_info(index) for index in range(3)]
    assert [record['relevant_windows'] for record in records] == [[[2, 20]], [[5, 5]], [[24, 24]]]
    assert [(r['qid'], r['text_key']) for r in records] == [(0, 7), (1, 8), (2, 7)]
    assert records[0]['query'] == 'A dog' and tested.census.counts()['over_end'] == 1
    # The old id names the text features.
    np.testing.assert_array_equal(tested[0]['text'], tested[2]['text'])
    assert len(collate([tested[index] for index in range(3)])['meta']) == 3
    trained = disk.build(windows='repair', qid='renumber')
    assert len(trained) == 2  # a query without a window inside its video teaches nothing
    assert trained.get_data_info(1)['relevant_windows'] == [[4, 6]]
    assert trained[1]['targets']['spans'].tolist() == [[0.25, pytest.approx(0.1)]]
    dropped = disk.build(windows='repair', qid='renumber', test_mode=True, unusable='drop')
    assert len(dropped) == 2


def test_own_data_may_be_repaired_too(tmp_path):
    for folder, name, rows in (('video_features', 'v', 5), ('text_features', 'qidtrain-1', 3)):
        (tmp_path / folder).mkdir()
        np.save(tmp_path / folder / f'{name}.npy', np.ones((rows, 4)))
    line = {'video': 'v', 'duration': 10, 'query': 'a\ndog', 'windows': [[9, 3], [4, 10.2]]}
    write_jsonl(tmp_path / 'train.jsonl', [line, {**line, 'query': ' '}])
    dataset = CustomDataset('train.jsonl', data_root=str(tmp_path), windows='repair')
    assert len(dataset) == 1
    record = dataset.get_data_info(0)
    assert record['relevant_windows'] == [[3, 9], [4, 10]] and record['query'] == 'a dog'
    counts = dataset.census.counts()
    assert (counts['reversed'], counts['over_end'], counts['empty_query']) == (2, 2, 1)
