# SPDX-License-Identifier: Apache-2.0
"""Every bad annotation gets one sentence that names the record."""

import gzip

import pytest

from vtg.datasets import collate
from vtg.utils import ConfigError, DataError


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'relevant_windows': [[2, 25]]}, ['[2, 25]', 'outside the video', '24 s']),
        ({'relevant_windows': [[-2, 4]]}, ['outside the video']),
        ({'relevant_windows': [[8, 4]]}, ['does not end after its start']),
        ({'relevant_windows': [[4, 4]]}, ['does not end after its start']),
        ({'relevant_windows': [[4]]}, ['list of [start, end]']),
        ({'relevant_windows': [['a', 4]]}, ['list of [start, end]']),
        ({'relevant_windows': []}, ["'relevant_windows' is empty", 'clip_ids is [0, 2']),
        ({'unreachable': 'yes'}, ["unreachable is 'yes'; expected 'zero_length' or 'outside'"]),
        ({'relevant_windows': None}, ["'relevant_windows'", 'labelled']),
        ({'saliency_scores': None}, ["'saliency_scores'", 'labelled']),
        ({'saliency_scores': [[1, 1, 1]]}, ['6 relevant_clip_ids', '1 saliency_scores']),
        ({'saliency_scores': [[1]] * 5 + [[1, 2]]}, ['differ in length']),
        ({'relevant_clip_ids': [-1, 1, 2, 3, 4, 5]}, ['0 or more']),
        ({'duration': 0}, ['positive number of seconds']),
        ({'duration': 'long'}, ['positive number of seconds']),
        ({'query': ' '}, ['has no words']),
        ({'no_answer': 'false'}, ["no_answer is 'false'; expected true or false"]),
        ({'query': '\u200b\ufeff'}, [r"the query '\u200b\ufeff' has no words"]),
        ({'relevant_windows': [[2, 24.01]]}, ['outside the video']),
        ({'relevant_clip_ids': [True, 1, 2, 3, 4, 5]}, ['relevant_clip_ids is [True', 'indices']),
        ({'relevant_clip_ids': [2**62, 1, 2, 3, 4, 5]}, ['at most 11', '24 s at 2 s']),
        ({'relevant_clip_ids': [1, 1, 2, 3, 4, 5]}, ['every clip once']),
        ({'relevant_clip_ids': None}, ['no relevant_clip_ids but 6']),
        ({'saliency_scores': [[1, 1, 5]] * 6}, ['score 5', 'from 0 to 4']),
        ({'saliency_scores': [[99]] * 6}, ['score 99', 'from -1 to 13']),
        ({'saliency_scores': [[1, None]] * 6}, ['one row of numbers']),
        ({'saliency_scores': ['ab'] * 6}, ['one row of numbers']),
        ({'saliency_scores': [[]] * 6}, ['one row of numbers']),
        ({'label': [[1], [101]]}, ['label holds 101', 'from -1 to 100']),
        ({'label': [[1], [True]]}, ['label holds True']),
        ({'duration': 10**400}, ['positive number of seconds', '...']),
        ({'duration': 1e300}, ['at most 10,000,000']),
        ({'qid': [1]}, ['qid is [1]; expected a text or a whole number']),
        ({'qid': '../up'}, ['qid', 'path separator']),
        ({'vid': 'a\x1b[2Jb'}, ['vid', 'control character', r'\x1b']),
        ({'vid': 'x' * 201}, ['vid', 'longer than 200 bytes']),
        ({'qid': '8'}, ["the qid '8' is already used in line 2"]),
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


def test_times_within_a_millisecond_are_equal(disk):
    disk.records[2] |= {'duration': 23.999, 'relevant_windows': [[-0.0005, 2], [20, 24.0]]}
    dataset = disk.build()
    assert dataset.get_data_info(2)['relevant_windows'] == [[0, 2], [20, 23.999]]
    # One that the rounding of floats alone carries over the end.
    disk.records[2] |= {'duration': 95.03999999999999 / 4, 'relevant_windows': [[4, 95.04 / 4]]}
    windows = disk.build().get_data_info(2)['relevant_windows']
    assert windows == [[4, 95.03999999999999 / 4]]


@pytest.mark.parametrize('saliency', ['AnnotatorSum', 'SingleWindow', 'CoveredClips', 'ClipGrades'])
@pytest.mark.parametrize('test_mode', [True, False])
@pytest.mark.parametrize('clips', [[], None])
def test_a_query_without_a_moment_is_legal(disk, saliency, test_mode, clips):
    if clips is None and test_mode and saliency == 'AnnotatorSum':
        clips = []  # a test may lack labels, so that an absent field is no empty one
    disk.records[1] |= {'relevant_windows': [], 'relevant_clip_ids': clips}
    disk.records[1]['saliency_scores'] = clips
    dataset = disk.build(test_mode=test_mode, labels=dict(saliency=dict(type=saliency)))
    batch = collate([dataset[index] for index in range(3)])
    assert dataset.get_data_info(1)['relevant_windows'] == []
    targets = batch['targets']
    assert not targets['span_mask'][1].any() and not targets['saliency'][1].any()
    assert targets['span_mask'][0].any() and targets['saliency'][0].any()


def test_clip_lengths_are_checked(disk):
    for value in (0, -2.0, float('nan'), 1e-9):
        with pytest.raises(ConfigError, match='clip_length of QVHighlights is'):
            disk.build(clip_length=value)


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
