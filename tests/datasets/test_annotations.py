# SPDX-License-Identifier: Apache-2.0
"""Every bad annotation gets one sentence that names the record."""

import gzip

import pytest

from vtg.utils import DataError


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'relevant_windows': [[2, 25]]}, ['[2, 25]', 'outside the video', '24 s']),
        ({'relevant_windows': [[-2, 4]]}, ['outside the video']),
        ({'relevant_windows': [[8, 4]]}, ['does not end after its start']),
        ({'relevant_windows': [[4, 4]]}, ['does not end after its start']),
        ({'relevant_windows': [[4]]}, ['list of [start, end]']),
        ({'relevant_windows': [['a', 4]]}, ['list of [start, end]']),
        ({'relevant_windows': []}, ["'relevant_windows' is empty", 'labelled']),
        ({'relevant_windows': None}, ["'relevant_windows'", 'labelled']),
        ({'saliency_scores': None}, ["'saliency_scores'", 'labelled']),
        ({'saliency_scores': [[1, 1, 1]]}, ['6 relevant_clip_ids', '1 saliency_scores']),
        ({'saliency_scores': [[1]] * 5 + [[1, 2]]}, ['differ in length']),
        ({'relevant_clip_ids': [-1, 1, 2, 3, 4, 5]}, ['0 or more']),
        ({'duration': 0}, ['positive number of seconds']),
        ({'duration': 'long'}, ['positive number of seconds']),
        ({'query': ' '}, ['has no words']),
        ({'qid': 8}, ['already used in line 2']),
    ],
)
def test_bad_records(disk, changes, words):
    disk.records[2].update(changes)
    with pytest.raises(DataError) as error:
        disk.build()
    message = str(error.value)
    assert message.startswith(f'{disk.annotations}, line 3: ')
    for word in words:
        assert word in message
    assert '\n' not in message


def test_missing_field(disk):
    del disk.records[1]['vid']
    with pytest.raises(DataError, match="line 2: there is no field 'vid'"):
        disk.build()


def test_broken_line_is_named(disk):
    dataset = disk.build()
    lines = disk.annotations.read_text().splitlines()
    lines[1] = lines[1][:20]
    disk.annotations.write_text('\n'.join(lines))
    with pytest.raises(DataError, match=r'annotations.jsonl, line 2: not valid JSON'):
        dataset.load_data_list()


def test_empty_file(disk):
    dataset = disk.build()
    disk.annotations.write_text('')
    with pytest.raises(DataError, match='holds no record'):
        dataset.load_data_list()


def test_unlabelled_records_are_fine_in_test_mode(disk):
    for record in disk.records:
        for name in ('relevant_windows', 'relevant_clip_ids', 'saliency_scores'):
            del record[name]
    sample = disk.build(test_mode=True)[0]
    assert 'targets' not in sample
    assert sample['meta']['annotation']['qid'] == 7
    with pytest.raises(DataError, match='labelled'):
        disk.build()


def test_the_gzip_twin_is_found(disk):
    disk.build()
    packed = disk.annotations.with_name('annotations.jsonl.gz')
    packed.write_bytes(gzip.compress(disk.annotations.read_bytes()))
    dataset = disk.build()
    disk.annotations.unlink()
    assert len(dataset.load_data_list()) == 3
